package loader

import (
	"cmp"
	"context"

	"golang.org/x/sync/semaphore"

	"ivrqueue/media"
)

// Bounds of what one application may have under way at once. What goes beyond them waits its turn
// in the application's own line: it delays no other.
const (
	MaxDownloads  = 16       // prompts that are fetched
	MaxDownloaded = 32 << 20 // bytes of them, that are read or decoded
	MaxFileBytes  = 32 << 20 // bytes of files, that are read or decoded
)

// share is what one application may have under way.
type share struct {
	downloads, downloaded, files *semaphore.Weighted
}

func newShare() *share {
	return &share{
		semaphore.NewWeighted(MaxDownloads), semaphore.NewWeighted(MaxDownloaded),
		semaphore.NewWeighted(MaxFileBytes),
	}
}

// enter waits for n of what there is of s. It ends with ctx, and fails with its cause.
func enter(ctx context.Context, s *semaphore.Weighted, n int64) (leave func(), err error) {
	if s.Acquire(ctx, n) != nil {
		return nil, cmp.Or(context.Cause(ctx), context.Canceled) // Err may say nothing
	}
	return func() { s.Release(n) }, nil
}

// Application is the [media.CodecLoader] of one application's calls, and the budget that they
// share.
type Application struct {
	Budget *media.Budget

	library *Library
	id      string
	share   *share
}

var _ media.CodecLoader = (*Application)(nil)
