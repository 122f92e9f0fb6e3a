package inspect

import (
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"strings"
)

// The page is one file for whoever loads it, and three for whoever edits it.
var (
	//go:embed page/page.html
	pageHTML string
	//go:embed page/page.css
	pageCSS string
	//go:embed page/page.js
	pageJS string
)

// page is the page, and the policy by which a browser takes nothing else: no script and no style
// but these, which it knows by their hashes, and no data but from here.
type page struct {
	body   []byte
	policy string
}

func newPage() page {
	body := strings.NewReplacer("/* page.css */", pageCSS, "/* page.js */", pageJS).Replace(pageHTML)
	return page{
		body: []byte(body),
		policy: strings.Join([]string{
			"default-src 'none'", "script-src " + hashOf(pageJS), "style-src " + hashOf(pageCSS),
			"connect-src 'self'", "img-src data:", "base-uri 'none'", "form-action 'none'",
			"frame-ancestors 'none'", "require-trusted-types-for 'script'", "trusted-types 'none'",
		}, "; "),
	}
}

func hashOf(text string) string {
	sum := sha256.Sum256([]byte(text))
	return "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
}
