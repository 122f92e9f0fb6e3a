//go:build !linux

package main

import (
	"fmt"
	"os"
)

func main() {
	fmt.Fprintln(os.Stderr, "attacks: needs Linux, whose /proc says how much memory a process had")
	os.Exit(2)
}
