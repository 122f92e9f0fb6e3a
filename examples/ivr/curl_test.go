package main_test

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
)

// curl is as much of curl as the README and docs/phones.md use, so that its lines can be run where there is none.
func curl(args []string, stdout, stderr io.Writer) int {
	method, url, body, out, after := http.MethodGet, "", "", "", ""
	header := http.Header{}
	for len(args) > 0 {
		arg := args[0]
		args = args[1:]
		switch {
		case arg == "-s":
		case !strings.HasPrefix(arg, "-"):
			url = arg
		case len(args) == 0:
			_, _ = fmt.Fprintln(stderr, "curl: unknown option", arg)
			return 2
		default:
			value := args[0]
			args = args[1:]
			switch arg {
			case "-H":
				name, v, _ := strings.Cut(value, ": ")
				header.Set(name, v)
			case "-d":
				method, body = http.MethodPost, value
			case "-X":
				method = value
			case "-o":
				out = value
			case "-w":
				after = strings.ReplaceAll(value, `\n`, "\n")
			default:
				_, _ = fmt.Fprintln(stderr, "curl: unknown option", arg)
				return 2
			}
		}
	}
	r, err := http.NewRequest(method, url, strings.NewReader(body)) //nolint:noctx // as curl
	if err != nil {
		_, _ = fmt.Fprintln(stderr, "curl:", err)
		return 3
	}
	r.Header = header
	w, err := http.DefaultClient.Do(r)
	if err != nil {
		_, _ = fmt.Fprintln(stderr, "curl:", err)
		return 7
	}
	defer w.Body.Close()
	console := stdout
	if out != "" {
		f, err := os.Create(out)
		if err != nil {
			_, _ = fmt.Fprintln(stderr, "curl:", err)
			return 23
		}
		defer f.Close()
		stdout = f
	}
	if _, err := io.Copy(stdout, w.Body); err != nil {
		_, _ = fmt.Fprintln(stderr, "curl:", err)
		return 18
	}
	_, _ = io.WriteString(console, after)
	return 0
}
