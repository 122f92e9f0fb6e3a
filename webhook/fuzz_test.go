package webhook_test

import (
	"cmp"
	"context"
	"errors"
	"net"
	"net/netip"
	"net/url"
	"strings"
	"testing"
	"time"

	"ivrqueue/egress"
	"ivrqueue/internal/bounds"
	"ivrqueue/webhook"
)

// FuzzRetryAfter reads what a callback says of when it wants to be asked again.
func FuzzRetryAfter(f *testing.F) {
	for _, s := range []string{
		"", "0", "1", "30", "2147483648", "9223372036", "18446744073709551616", "-1", "1.5", "soon",
		"Fri, 31 Dec 9999 23:59:59 GMT", "Mon, 01 Jan 0001 00:00:00 GMT", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994",
		strings.Repeat("9", 16<<10), "Fri, 31 Dec 99999 23:59:59 GMT",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		bounds.Proportionate(t, len(s), 16, func() {
			if d := webhook.RetryAfter(s); d < 0 || d > 24*time.Hour {
				t.Errorf("%q: got %v", s, d)
			}
		})
	})
}

// FuzzCallback checks callback addresses, and delivers to those that pass, on a network where nobody
// is: none reaches an address that is not allowed.
func FuzzCallback(f *testing.F) {
	for _, s := range []string{
		"https://bot.contoso.com/c?x=y", "https://10.0.0.1/", "https://[::ffff:0:127.0.0.1]/", "https://u:p@bot.contoso.com/", "http://localhost/",
		"https://localhost./", "https://2130706433/", "https://0x7f.1/", "https://[fe80::1%25eth0]/", "https://bot.contoso.com:99999/",
		"https://bot\u3002contoso.com/", "HTTPS://BOT.CONTOSO.COM/", "https://", "//x", strings.Repeat("https://a", 1000), "https://a/%zz", "https://a b/",
		"https://a/?b=100%&ü=\xff", "//a/ü#?##", "https://a:99999/", "https://a..b/ ", "a b://c d", "https://127.0.0.1\\@bot.contoso.com/", "https://bot.contoso.com/\r\nHost: other",
	} {
		f.Add(s)
	}
	n, err := webhook.New(webhook.WithMaxElapsedTime(1), webhook.WithDial(func(_ context.Context, _, address string) (net.Conn, error) {
		host, _, err := net.SplitHostPort(address)
		if ip, bad := netip.ParseAddr(host); bad == nil && !(egress.Addresses{}).Allow(ip) {
			err = errReached
		}
		return nil, cmp.Or(err, errNobody)
	}))
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, s string) {
		bounds.Proportionate(t, len(s), 64, func() {
			err := n.Check(s)
			sent := egress.EscapeURL(s)
			if sent != egress.EscapeURL(sent) {
				t.Errorf("%q is sent as %q, then as %q", s, sent, egress.EscapeURL(sent))
			}
			u, bad := url.Parse(sent)
			if err == nil && (bad != nil || u.Scheme != "https" || u.User != nil || u.Hostname() == "" || len(s) > webhook.MaxURI) {
				t.Errorf("%q is taken", s)
			}
			if err := n.Deliver(t.Context(), webhook.Delivery{CallbackURI: s}); err == nil || errors.Is(err, errReached) {
				t.Errorf("%q: got %v", s, err)
			}
			if err != nil && len(err.Error()) > 1500 {
				t.Errorf("%q: an error of %d bytes", s, len(err.Error()))
			}
		})
	})
}

var (
	errReached = errors.New("an address that is not allowed")
	errNobody  = errors.New("nobody is here")
)
