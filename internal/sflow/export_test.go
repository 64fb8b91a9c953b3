package sflow

// Samples is for tests that look at what was counted.
var Samples = samples
