package service

import (
	"crypto/rand"
	"crypto/subtle"
	"errors"
	"maps"
	"net/http"
	"os"
	"slices"
	"sync"
	"time"

	"github.com/google/uuid"

	"ivrqueue/graph"
	"ivrqueue/media"
	"ivrqueue/operation"
)

// recordings are the files that recordingLocations lead to, each against its own token, until some
// time after the end of its call, or until its application's newer ones need the room.
type recordings struct {
	most int // bytes of an application

	mu     sync.Mutex // guards the block below
	files  map[uuid.UUID]recordingFile
	shares map[string]*recordingShare // by application; of those that have files
	timers map[*time.Timer]struct{}
	closed bool
}

type recordingFile struct {
	path  string
	token string
	owner string
	bytes int
}

// recordingShare is an application's files.
type recordingShare struct {
	ids   []uuid.UUID // the oldest first
	bytes int
}

// publish makes a file of an application one that can be had, and says where.
func (s *recordings) publish(
	base, owner string, id uuid.UUID, file operation.Recording,
) (operation.Recording, error) {
	f := recordingFile{
		path: file.Location, token: rand.Text(), owner: owner, bytes: media.WAVSize(file.Duration),
	}
	gone, ok := s.put(id, f)
	removeFiles(gone)
	if !ok {
		return operation.Recording{}, errors.Join(operation.ShutDown, os.Remove(file.Location))
	}
	return operation.Recording{
		Location:    base + "/recordings/" + id.String(),
		AccessToken: f.token,
		Duration:    file.Duration,
	}, nil
}

// put adds a file, and returns those that make room for it. It reports false after close.
func (s *recordings) put(id uuid.UUID, f recordingFile) (gone []string, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil, false
	}
	if s.files == nil {
		s.files = make(map[uuid.UUID]recordingFile)
		s.shares = make(map[string]*recordingShare)
	}
	share := s.shares[f.owner]
	if share == nil {
		share = new(recordingShare)
		s.shares[f.owner] = share
	}
	s.files[id] = f
	share.ids = append(share.ids, id)
	share.bytes += f.bytes
	for share.bytes > s.most && len(share.ids) > 1 {
		gone = append(gone, s.forget(share.ids[0])...)
	}
	return gone, true
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
		delete(s.timers, timer)
		gone := s.forget(ids...)
		s.mu.Unlock()
		removeFiles(gone)
	})
	s.timers[timer] = struct{}{}
}

// close removes all of them.
func (s *recordings) close() {
	s.mu.Lock()
	s.closed = true
	for timer := range s.timers {
		timer.Stop()
	}
	gone := s.forget(slices.Collect(maps.Keys(s.files))...)
	s.mu.Unlock()
	removeFiles(gone)
}

// forget makes files that can be had ones that can't, and returns their paths, for removeFiles.
func (s *recordings) forget(ids ...uuid.UUID) (paths []string) {
	for _, id := range ids {
		f, ok := s.files[id]
		if !ok {
			continue
		}
		delete(s.files, id)
		paths = append(paths, f.path)
		share := s.shares[f.owner]
		share.bytes -= f.bytes
		if i := slices.Index(share.ids, id); i >= 0 {
			share.ids = slices.Delete(share.ids, i, i+1)
		}
		if len(share.ids) == 0 {
			delete(s.shares, f.owner)
		}
	}
	return paths
}

// removeFiles is called without a lock: a disk may be slow.
func removeFiles(paths []string) {
	for _, path := range paths {
		_ = os.Remove(path) // there is no other way to remove it
	}
}

// ServeHTTP serves a recording: 401 without its token, whether it exists or not.
func (s *recordings) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	id, err := uuid.Parse(r.PathValue("id"))
	s.mu.Lock()
	f, ok := s.files[id]
	s.mu.Unlock()
	token, given := graph.BearerToken(r)
	if err != nil || !ok || !given || subtle.ConstantTimeCompare([]byte(token), []byte(f.token)) != 1 {
		w.Header().Set("WWW-Authenticate", "Bearer")
		graph.WriteError(w, r, http.StatusUnauthorized, "InvalidAuthenticationToken",
			"The recording's access token is missing or wrong, or its time is over.")
		return
	}
	w.Header().Set("Content-Type", "audio/wav")
	w.Header().Set("Cache-Control", "no-store")
	http.ServeFile(w, r, f.path)
}
