package egress_test

import (
	"strings"
	"testing"

	"ivrqueue/egress"
)

// What may not stand in a request line is escaped, once; all else stays as it is, byte for byte.
func TestAURLIsEscapedAndOtherwiseAsItIs(t *testing.T) {
	t.Parallel()
	for _, test := range [][2]string{
		{"https://a.example/cb?name=John Smith", "https://a.example/cb?name=John%20Smith"},
		{"https://a.example/Zoë?n=\U0001f600&y#ü b#c", "https://a.example/Zo%C3%AB?n=%F0%9F%98%80&y#%C3%BC%20b%23c"},
		{"https://a.example/%c3%aB ü%2F?q=%zz&r=%4", "https://a.example/%c3%aB%20%C3%BC%2F?q=%25zz&r=%254"},
		{"https://a.example/-._~!$&'()*+,;=:@/b//?-._~!$&'()*+,;=:@/??", "https://a.example/-._~!$&'()*+,;=:@/b//?-._~!$&'()*+,;=:@/??"},
		{"https://a b.example", "https://a b.example"},
		{"https://bücher.example:8080/ü", "https://bücher.example:8080/%C3%BC"},
		{"https://a.example?next=https://b.example/ü", "https://a.example?next=https://b.example/%C3%BC"},
		{"/elsewhere/Zoë?a b", "/elsewhere/Zo%C3%AB?a%20b"},
		{"//b.example/a b", "//b.example/a%20b"},
		{"a\x7fb\n/\x7f\n", "a\x7fb\n/\x7f\n"},
	} {
		got := egress.EscapeURL(test[0])
		if again := egress.EscapeURL(got); got != test[1] || again != got {
			t.Errorf("%q: got %q, then %q, want %q", test[0], got, again, test[1])
		}
	}
}

// A URL that can never be called is refused, with what it must be.
func TestAURLThatCanNeverWorkIsRefused(t *testing.T) {
	t.Parallel()
	label := strings.Repeat("a", 63)
	for text, want := range map[string]string{
		"https://bot.contoso.com/c ": "white space", " https://bot.contoso.com/c": "white space", "https://bot.contoso.com/c\u00a0": "white space",
		"https://bot.contoso.com/c\t": "white space", "https://bot.contoso.com/c\r\n": "white space", "https://bot.contoso.com/\u3000": "white space",
		"https://bot.contoso.com/a\tb": "", "https://bot.contoso.com/a\nb": "", "https://bot.contoso.com/?a\x00b": "", "https://bot.contoso.com/\x7f": "",
		"https://bot.contoso.com:99999/c": "port", "https://bot.contoso.com:65536/c": "port", "https://127.0.0.1:0/c": "port", "https://[::1]:00000/": "port",
		"https://bot.contoso.com:18446744073709551616/": "port", "https://bot.contoso.com:x/": "", "https://bot.contoso.com:-1/": "", "https://bot.contoso.com:4 3/": "",
		"https://bot..contoso.com/c": "host", "https://.contoso.com/": "host", "https://bot.contoso.com../": "host", "https://./": "host", "https://../": "host",
		"https://-bot.contoso.com/": "host", "https://bot-.contoso.com/": "host", "https://bot.contoso.com-/": "host", "https://a" + label + ".com/": "host",
		"https://" + strings.Repeat(label+".", 4) + "com/": "host", "https://2130706433/": "host", "https://127.1/": "host", "https://1.2.3.4.5/": "host", "https://256.1.1.1/": "host",
		"https://0x7f.1/": "host", "https://0x7f000001/": "host", "https://127.0.0.0X1/": "host", "https://0x/": "host", "https://bot.123/": "host", "https://bot.0xAf./": "host",
		"https://bot$.contoso.com/": "host", "https://a,b/": "host", "https://bücher..example/": "host", "https://bücher\u3002\u3002example/": "host", "https://\u3002/": "host",
		"https://bot contoso.com/": "", "https://[bot]/": "", "https://[::1/": "", "https:///c": "", "https:bot.contoso.com/c": "", "https://:443/": "",
		"https://": "", "https:": "", "https://bot.contoso.com\\c": "", "https://bot.%zz/": "",
	} {
		if u, must := egress.ParseURL(text); u != nil || !strings.Contains(must, want) || want == "" && must != "" {
			t.Errorf("%q: got %v, %q, want %q", text, u, must, want)
		}
	}
	for _, text := range []string{
		"https://bot.contoso.com", "https://bot.contoso.com.", "https://bot.contoso.com:1/", "https://bot.contoso.com:65535/", "https://bot.contoso.com:/", "https://bot.contoso.com:00443/",
		"https://my_bot.contoso.com/", "https://xn--bcher-kva.example/", "https://bücher.example/", "https://bücher\u3002example/", "https://a1/", "https://1a/", "https://1-2/", "https://0xg/", "https://0x1.contoso.com/", "https://1.contoso.com/", "https://a--b/",
		"https://" + label + "." + label + "." + label + "." + strings.Repeat("a", 61) + "./", "https://[2606:4700::1111]:443/", "https://8.8.8.8/", "HTTPS://BOT.CONTOSO.COM/",
	} {
		if u, must := egress.ParseURL(text); u == nil {
			t.Errorf("%q: %q", text, must)
		}
	}
}
