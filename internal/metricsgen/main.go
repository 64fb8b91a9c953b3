// Command metricsgen writes the page of documentation about metrics from the source
// text that declares them, so that the two cannot differ. It reads every package below
// cmd and internal (source.go), finds the declarations (declare.go) and which values
// their labels take (values.go), and writes a table (page.go) behind an introduction
// for operators (intro.md).
package main

import (
	"fmt"
	"os"
)

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: metricsgen MODULE PAGE.md")
		os.Exit(2)
	}
	if err := generate(os.Args[1], os.Args[2]); err != nil {
		fmt.Fprintln(os.Stderr, "metricsgen:", err)
		os.Exit(1)
	}
}

// generate writes page about the metrics of the module whose root is at dir.
func generate(dir, page string) error {
	packages, err := readModule(dir)
	if err != nil {
		return err
	}
	metrics, err := findMetrics(packages)
	if err != nil {
		return err
	}
	text, err := write(introduction, metrics)
	if err != nil {
		return err
	}
	return os.WriteFile(page, []byte(text), 0o644)
}
