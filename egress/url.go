package egress

import (
	"net/netip"
	"net/url"
	"strconv"
	"strings"
)

// ParseURL reads the URL of an HTTP server, with what [EscapeURL] escapes. For one that can never
// be called it returns nil, and what it must be: with a port from 1 to 65535, say; nothing if there
// is no more to say than that it must be an absolute URL. Which schemes and addresses are allowed
// is for the caller to look at.
func ParseURL(text string) (u *url.URL, must string) {
	if strings.TrimSpace(text) != text {
		return nil, "without white space around it"
	}
	u, err := url.Parse(EscapeURL(text))
	switch {
	case err != nil || u.Hostname() == "":
		return nil, ""
	case !isHost(u):
		return nil, "with a host name or an IP address"
	case !isPort(u):
		return nil, "with a port from 1 to 65535, or none"
	}
	return u, ""
}

// isHost reports whether the host can be looked up: it is an IP address, or a name of labels of 1
// to 63 letters, digits, - and _, 253 together, the last of which is no number (RFC 1035, 2.3.4;
// RFC 1123, 2.1). A name that is not ASCII may become one of those.
func isHost(u *url.URL) bool {
	name := u.Hostname()
	if _, err := netip.ParseAddr(name); err == nil || strings.HasPrefix(u.Host, "[") {
		return err == nil
	}
	name = strings.TrimSuffix(name, ".")
	ascii := !strings.ContainsFunc(name, func(r rune) bool { return r > '~' })
	if ascii && (len(name) > 253 || isNumberLabel(name[strings.LastIndexByte(name, '.')+1:])) {
		return false
	}
	for label := range strings.SplitSeq(dots.Replace(name), ".") {
		if label == "" || ascii && !isLabel(label) {
			return false
		}
	}
	return true
}

// dots are those between the labels of names that are not ASCII (RFC 3490, 3.1).
var dots = strings.NewReplacer("\u3002", ".", "\uff0e", ".", "\uff61", ".")

func isLabel(s string) bool {
	return len(s) <= 63 && s[0] != '-' && s[len(s)-1] != '-' &&
		!strings.ContainsFunc(s, func(r rune) bool {
			return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') &&
				r != '-' && r != '_'
		})
}

// isNumberLabel reports whether a label is a number to those who read IPv4 addresses generously
// (https://url.spec.whatwg.org/#ends-in-a-number-checker), so no name of the Internet ends in it.
func isNumberLabel(label string) bool {
	if strings.HasPrefix(strings.ToLower(label), "0x") {
		return strings.Trim(label[len("0x"):], "0123456789abcdefABCDEF") == ""
	}
	return strings.Trim(label, "0123456789") == ""
}

func isPort(u *url.URL) bool {
	if u.Port() == "" {
		return true
	}
	n, err := strconv.ParseUint(u.Port(), 10, 16)
	return err == nil && n > 0
}

// EscapeURL escapes what may not stand in the path, query or fragment of a URL, or a reference to
// one (RFC 3986, 3.3 to 3.5), such as spaces and letters that are not ASCII; all else stays as it
// is, byte for byte. Servers refuse a request line that has such bytes in it. Control characters
// stay: they are no part of any address, and are refused when it is parsed.
func EscapeURL(text string) string {
	at := 0
	slash := strings.IndexAny(text, "/?#")
	if slash >= 0 && strings.HasPrefix(text[slash:], "//") && (slash == 0 || text[slash-1] == ':') {
		at = slash + len("//")
		after := strings.IndexAny(text[at:], "/?#")
		if after < 0 {
			return text
		}
		at += after
	}
	escaped := []byte(text[:at])
	for i, fragment := at, false; i < len(text); i++ {
		switch c := text[i]; {
		case c == '#' && !fragment:
			fragment = true
			escaped = append(escaped, c)
		case c == '%' && isEscape(text[i:]), inURL(c), c < ' ', c == 0x7f:
			escaped = append(escaped, c)
		default:
			const hex = "0123456789ABCDEF"
			escaped = append(escaped, '%', hex[c>>4], hex[c&15])
		}
	}
	return string(escaped)
}

// inURL reports whether a byte may stand in a path or a query.
func inURL(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' ||
		strings.IndexByte("-._~!$&'()*+,;=:@/?", c) >= 0
}

// isEscape reports whether a text begins with % and two hexadecimal digits.
func isEscape(s string) bool {
	if len(s) < 3 {
		return false
	}
	_, err := strconv.ParseUint(s[1:3], 16, 8)
	return err == nil
}
