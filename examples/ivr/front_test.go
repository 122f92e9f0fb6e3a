package main_test

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"io"
	"math/big"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	ivr "ivrqueue/examples/ivr"
)

// certificate makes one for this machine, that has signed itself, and returns its files.
func certificate(t *testing.T) (cert, key string, pool *x509.CertPool) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), DNSNames: []string{"localhost"},
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, private.Public(), private)
	if err != nil {
		t.Fatal(err)
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	folder := t.TempDir()
	cert, key = filepath.Join(folder, "cert.pem"), filepath.Join(folder, "key.pem")
	certPEM := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	for path, data := range map[string][]byte{cert: certPEM, key: pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: pkcs8})} {
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	pool = x509.NewCertPool()
	pool.AppendCertsFromPEM(certPEM)
	return cert, key, pool
}

// Over TLS everything is said to be there, and the inbox is a callback there too.
func TestTheServiceSpeaksTLS(t *testing.T) {
	t.Parallel()
	cert, key, pool := certificate(t)
	s := serve(t, "-dev", "-cert", cert, "-key", key)
	if !strings.HasPrefix(s.url, "https://127.0.0.1:") {
		t.Fatalf("the API is at %s", s.url)
	}
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}, ForceAttemptHTTP2: true}}
	defer client.CloseIdleConnections()
	do := func(method, url, body string) (*http.Response, string) {
		r, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Authorization", "Bearer "+s.token)
		r.Header.Set("Content-Type", "application/json")
		w, err := client.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer w.Body.Close()
		data, err := io.ReadAll(w.Body)
		if err != nil {
			t.Fatal(err)
		}
		return w, string(data)
	}
	w, body := do("POST", s.url+"/v1.0/communications/calls", `{"callbackUri":"`+s.url+`/dev/inbox","targets":[{}]}`) //nolint:bodyclose // it is
	if location := w.Header.Get("Location"); w.StatusCode != http.StatusCreated || w.ProtoMajor != 2 || !strings.HasPrefix(location, s.url+"/v1.0/communications/calls/") {
		t.Fatalf("got %s %s, %q: %s", w.Proto, w.Status, location, body)
	}
	inbox := ""
	for deadline := time.Now().Add(time.Minute); !strings.Contains(inbox, "established"); {
		if _, inbox = do("GET", s.url+"/dev/inbox", ""); time.Now().After(deadline) { //nolint:bodyclose // it is
			t.Fatalf("got %s\n%s", inbox, s.log)
		}
	}
	if code, _ := s.end(); code != 0 {
		t.Errorf("exit status %d\n%s", code, s.log)
	}
}

// The address that is printed can be pasted, whatever is listened on, and is the one that
// clients get.
func TestTheAddressThatIsPrintedCanBePasted(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ flags, scheme, host string }{
		{"-addr :0", "http", "127.0.0.1"},
		{"-addr 0.0.0.0:0", "http", "127.0.0.1"},
		{"-addr [::]:0", "http", "127.0.0.1"},
		{"-addr 127.0.0.2:0", "http", "127.0.0.2"},
		{"-addr :0 -base-url https://media.example/ivr/", "https", "media.example"},
	} {
		ctx, cancel := context.WithCancel(t.Context())
		out, stdout := io.Pipe()
		done := make(chan int, 1)
		log := new(record)
		go func() {
			code := ivr.Run(ctx, append([]string{"serve", "-dev"}, strings.Fields(test.flags)...), stdout, log)
			_ = stdout.Close()
			done <- code
		}()
		lines := make([]byte, 0, 4<<10)
		for buf := make([]byte, 4<<10); bytes.Count(lines, []byte("\n")) < 3; {
			n, err := out.Read(buf)
			if lines = append(lines, buf[:n]...); err != nil {
				t.Fatalf("%s: %v: %s\n%s", test.flags, err, lines, log)
			}
		}
		go io.Copy(io.Discard, out) // the rest is for people
		first, rest, _ := strings.Cut(string(lines), "\n")
		printed := strings.TrimSuffix(strings.TrimPrefix(first, "The API is at "), "/v1.0")
		u, err := url.Parse(printed)
		if err != nil || u.Scheme != test.scheme || u.Hostname() != test.host {
			t.Errorf("%s: got %q, %v", test.flags, first, err)
		}
		if !strings.Contains(rest, " "+printed+"/dev/issuer\n") {
			t.Errorf("%s: no issuer at that address: %q", test.flags, rest)
		}
		if test.scheme == "http" {
			if got := create(t, printed, strings.Fields(rest)[9], printed+"/dev/inbox"); got != 201 {
				t.Errorf("%s: got %d", test.flags, got)
			}
		}
		cancel()
		if code := <-done; code != 0 {
			t.Errorf("%s: exit status %d\n%s", test.flags, code, log)
		}
	}
}

func TestFlagsOfTheFrontAreChecked(t *testing.T) {
	t.Parallel()
	cert, key, _ := certificate(t)
	_, other, _ := certificate(t)
	secret := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(secret, []byte("\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for flags, want := range map[string]string{
		"-cert " + cert:                                       "-cert and -key belong together",
		"-key " + key:                                         "-cert and -key belong together",
		"-cert " + cert + " -key " + other:                    "-cert, -key: ",
		"-cert nowhere -key " + key:                           "nowhere",
		"-allow-callbacks host.docker.internal":               "-allow-callbacks",
		"-allow-callbacks 10.0.0.0/33":                        "must be as in 172.17.0.0/16",
		"-trusted-proxy fe80::1%eth0/64":                      "-trusted-proxy",
		"-bot demo":                                           "must be as in NAME=CALLBACK",
		"-bot demo=http://8.8.8.8/":                           `Bots["demo"]`,
		"-base-url media.example":                             "BaseURL",
		"-base-url https://media.example//ivr":                `BaseURL is "https://media.example//ivr"`,
		"-callback-client-id x":                               "-callback-token-url",
		"-callback-secret-file x":                             "-callback-token-url",
		"-callback-token-url https://x -callback-client-id x": "-callback-secret-file",
		"-callback-token-url https://x -callback-client-id x -callback-secret-file nowhere":    "nowhere",
		"-callback-token-url https://x -callback-client-id x -callback-secret-file " + secret:  "Secret is empty",
		"-callback-token-url https://x -callback-secret-file " + secret + " -callback-scope x": "ClientID is empty",
	} {
		wantRefused(t, flags, want)
	}
}

// wantRefused runs the service with flags that are wrong, and wants it to say so.
func wantRefused(t *testing.T, flags, want string) {
	t.Helper()
	var stdout, stderr bytes.Buffer
	args := append([]string{"serve", "-dev", "-addr", "127.0.0.1:0"}, strings.Fields(flags)...)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second) // of one that serves after all
	defer cancel()
	if code := ivr.Run(ctx, args, &stdout, &stderr); code == 0 || !strings.Contains(stderr.String(), want) {
		t.Errorf("%s: exit status %d: %s", flags, code, stderr.String())
	}
}

// A flag that nothing comes of is an error: who drains a service that is no node would lose calls.
func TestFlagsOfTheClusterAreChecked(t *testing.T) {
	t.Parallel()
	for _, flags := range []string{
		"-node a", "-peers a=127.0.0.1:1", "-journal x", "-cluster-secret-file x", "-nats nats://x", "-nodes a", "-nats-creds x", "-drain 10s",
	} {
		wantRefused(t, flags, "need -cluster")
	}
	const cluster = "-cluster c -node a -peers a=127.0.0.1:1 "
	wantRefused(t, cluster+"-drain -10s", "-drain is -10s, must be 0 or more")
	wantRefused(t, cluster+"-nodes a,b,c", "-nodes needs -nats")
	wantRefused(t, cluster+"-nats-creds x", "Credentials belong to Servers")
}
