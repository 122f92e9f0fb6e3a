package main

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"runtime"
	"strings"
)

// describeMachine writes what the figures were measured on, as configuration of the results.
func describeMachine(out io.Writer) {
	fmt.Fprintf(out, "go: %s\ncores: %d\nmaxprocs: %d\n",
		runtime.Version(), runtime.NumCPU(), runtime.GOMAXPROCS(0))
	if gb := memory(); gb != "" {
		fmt.Fprintf(out, "memory: %s\n", gb)
	}
}

// memory returns how much the machine has, where that can be found out easily.
func memory() string {
	file, err := os.Open("/proc/meminfo")
	if err != nil {
		return ""
	}
	defer file.Close()
	for lines := bufio.NewScanner(file); lines.Scan(); {
		if rest, ok := strings.CutPrefix(lines.Text(), "MemTotal:"); ok {
			var kb float64
			if _, err := fmt.Sscan(rest, &kb); err == nil {
				return fmt.Sprintf("%.0f GB", kb/1e6)
			}
		}
	}
	return ""
}
