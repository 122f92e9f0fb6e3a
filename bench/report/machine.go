package main

import (
	"bytes"
	"fmt"
	"os"
	"runtime"
	"strings"
)

// describeMachine writes what the figures were measured on, as configuration of the results.
func describeMachine(out *bytes.Buffer) {
	fmt.Fprintf(out, "go: %s\ncores: %d\nmaxprocs: %d\n",
		runtime.Version(), runtime.NumCPU(), runtime.GOMAXPROCS(0))
	if release, err := os.ReadFile("/proc/sys/kernel/osrelease"); err == nil { // where it is Linux
		fmt.Fprintf(out, "kernel: %s\n", bytes.TrimSpace(release))
	}
	if load, err := os.ReadFile("/proc/loadavg"); err == nil { // what else it was doing
		first, _, _ := strings.Cut(string(load), " ")
		fmt.Fprintf(out, "load: %s\n", first)
	}
	if gb := memory(); gb != "" {
		fmt.Fprintf(out, "memory: %s\n", gb)
	}
}

// memory returns how much the machine has, where that can be found out easily.
func memory() string {
	data, err := os.ReadFile("/proc/meminfo")
	if err != nil {
		return ""
	}
	for l := range strings.Lines(string(data)) {
		if rest, ok := strings.CutPrefix(l, "MemTotal:"); ok {
			var kb float64
			if _, err := fmt.Sscan(rest, &kb); err == nil {
				return fmt.Sprintf("%.0f GB", kb/1e6)
			}
		}
	}
	return ""
}
