package demo

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"os"
	"strconv"
	"time"

	"ivrqueue/examples/ivr/service"
	"ivrqueue/graph"
)

// Options say what is heard in the call.
type Options struct {
	Embedded fs.FS    // the service's prompts
	Prompts  []string // WAV files for the bot to play, instead of welcome and menu
	Caller   []int16  // what the caller says
	Folder   string   // for heard.wav and recording.wav; it must exist
}

// Run starts a service and a bot, each on a port of this machine, has the bot make its call, and
// ends both. It returns an error where the call does not go as scripted.
func Run(ctx context.Context, o Options, stdout io.Writer) error {
	s := &screen{start: time.Now(), w: stdout}
	folder, err := os.MkdirTemp("", "ivr-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(folder) //nolint:errcheck // the service has removed its files
	log := slog.New(slog.DiscardHandler)
	svc, err := service.New(ctx, service.Options{
		Tokens:   map[string]graph.Application{"demo": service.Application("Demo", graph.RoleInitiate)},
		Embedded: o.Embedded, Caller: o.Caller, Dev: true, Folder: folder, Logger: log,
		Establish: service.DefaultEstablish, Audio: service.DefaultAudio,
		KeepRecordings: service.DefaultKeepRecordings,
	})
	if err != nil {
		return err
	}
	end := func() error {
		const most = 5 * time.Second
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), most)
		defer cancel()
		return svc.Shutdown(ctx)
	}
	serviceURL, stopService, err := listen(ctx, svc, log)
	if err != nil {
		return errors.Join(err, end())
	}
	defer stopService()

	client := &http.Client{Transport: new(http.Transport)}
	defer client.CloseIdleConnections()
	b := &bot{
		screen: s, base: serviceURL, token: "demo", client: client, more: make(chan struct{}),
	}
	mux := http.NewServeMux()
	mux.Handle("POST /callback", b)
	mux.HandleFunc("GET /prompts/{n}", func(w http.ResponseWriter, r *http.Request) {
		n, err := strconv.Atoi(r.PathValue("n"))
		if err != nil || n < 0 || n >= len(o.Prompts) {
			http.NotFound(w, r)
			return
		}
		http.ServeFile(w, r, o.Prompts[n])
	})
	botURL, stopBot, err := listen(ctx, mux, log)
	if err != nil {
		return errors.Join(err, end())
	}
	defer stopBot()

	s.say("The service is at %s/v1.0, the bot at %s.\n\n", serviceURL, botURL)
	c := &script{bot: b, options: o, callback: botURL + "/callback"}
	for n := range o.Prompts {
		c.prompts = append(c.prompts, fmt.Sprintf("%s/prompts/%d", botURL, n))
	}
	err = c.play(ctx)
	if err == nil {
		s.say("\nThe call went as scripted.\n\nThe caller heard  %s\nThe caller said   %s\n",
			c.heard, c.recording)
	}
	return errors.Join(err, end(), s.failed())
}

// listen serves h on a port of this machine.
func listen(
	ctx context.Context, h http.Handler, l *slog.Logger,
) (url string, stop func(), err error) {
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", nil, err
	}
	server := service.NewServer(h, l)
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = server.Serve(listener) // ends with Close
	}()
	return "http://" + listener.Addr().String(), func() {
		_ = server.Close()
		<-done
	}, nil
}
