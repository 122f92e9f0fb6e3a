package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
)

func main() {
	calls := flag.Int("calls", 1_000_000, "how many calls are held at once")
	active := flag.Int("active", 100_000, "how many of them are made active")
	out := flag.String("json", "", "write what was measured to this `file` too")
	flag.Parse()
	if *calls < 1 || *active < 0 || *active > *calls {
		fmt.Fprintln(os.Stderr, "million: -calls must be positive, and -active at most as many")
		os.Exit(2)
	}
	report := run(*calls, *active, func(s Step) { fmt.Println(s) })
	if *out == "" {
		return
	}
	data, err := json.MarshalIndent(report, "", "\t")
	if err == nil {
		err = os.WriteFile(*out, append(data, '\n'), 0o644)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "million:", err)
		os.Exit(1)
	}
}
