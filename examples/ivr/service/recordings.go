package service

import (
	"crypto/rand"
	"crypto/subtle"
	"errors"
	"net/http"
	"os"
	"sync"
	"time"

	"github.com/google/uuid"

	"ivrqueue/operation"
)

// recordings are the files that recordingLocations lead to, each against its own token, until some
// time after the end of its call.
type recordings struct {
	mu     sync.Mutex // guards the block below
	files  map[uuid.UUID]recordingFile
	timers map[*time.Timer]struct{}
	closed bool
}

type recordingFile struct {
	path  string
	token string
}

// publish makes a file one that can be had, and says where.
func (s *recordings) publish(
	base string, id uuid.UUID, file operation.Recording,
) (operation.Recording, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return operation.Recording{}, errors.Join(operation.ShutDown, os.Remove(file.Location))
	}
	f := recordingFile{path: file.Location, token: rand.Text()}
	if s.files == nil {
		s.files = make(map[uuid.UUID]recordingFile)
	}
	s.files[id] = f
	return operation.Recording{
		Location:    base + "/recordings/" + id.String(),
		AccessToken: f.token,
		Duration:    file.Duration,
	}, nil
}

// expire removes recordings after some time, or when the service ends.
func (s *recordings) expire(ids []uuid.UUID, after time.Duration) {
	if len(ids) == 0 {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return
	}
	if s.timers == nil {
		s.timers = make(map[*time.Timer]struct{})
	}
	var timer *time.Timer
	timer = time.AfterFunc(after, func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		delete(s.timers, timer)
		for _, id := range ids {
			s.remove(id)
		}
	})
	s.timers[timer] = struct{}{}
}

// close removes all of them.
func (s *recordings) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	for timer := range s.timers {
		timer.Stop()
	}
	for id := range s.files {
		s.remove(id)
	}
}

func (s *recordings) remove(id uuid.UUID) {
	if f, ok := s.files[id]; ok {
		delete(s.files, id)
		_ = os.Remove(f.path) // nobody can do anything about it
	}
}

// ServeHTTP serves a recording: 401 without its token, whether it exists or not.
func (s *recordings) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	id, err := uuid.Parse(r.PathValue("id"))
	s.mu.Lock()
	f, ok := s.files[id]
	s.mu.Unlock()
	token, given := bearer(r)
	if err != nil || !ok || !given || subtle.ConstantTimeCompare([]byte(token), []byte(f.token)) != 1 {
		w.Header().Set("WWW-Authenticate", "Bearer")
		refuse(w, http.StatusUnauthorized, "InvalidAuthenticationToken",
			"The recording's access token is missing or wrong, or its time is over.")
		return
	}
	w.Header().Set("Content-Type", "audio/wav")
	w.Header().Set("Cache-Control", "no-store")
	http.ServeFile(w, r, f.path)
}
