package member

import "errors"

// What ends a member on its own, see [Failed]: both need somebody to change the configuration.
var (
	// ErrNameTaken says that another process has the name of this node, and has beaten long after
	// this one began: for four times Death, 12 s. A process that was restarted has its name after
	// one, 3 s.
	ErrNameTaken = errors.New("member: another node has this name")

	// ErrMisconfigured says that the nodes were given other names, or other times, than this one.
	ErrMisconfigured = errors.New("member: nodes are configured differently")
)

// ErrClosed is what [Member.Err] returns after Close.
var ErrClosed = errors.New("member: closed")
