// Package singlenode has the tests of the CUE files beside it.
//
//	go generate ./deploy/single-node
//
// writes the reference of the configuration anew after a change of config.cue.
package singlenode

//go:generate go run ./reference
