package sip

import (
	"log/slog"
	"runtime/debug"
)

// callback calls code of the agent's owner on a goroutine of its own, and then done: with false if
// that code has panicked or exited the goroutine, which is logged.
func (c *Call) callback(name string, f func(), done func(returned bool)) {
	c.agent.work.Go(func() {
		returned := false
		defer func() {
			if v := recover(); v != nil {
				c.log.Error("callback has panicked", slog.String("callback", name),
					slog.Any("panic", v), slog.String("stack", string(debug.Stack())))
			} else if !returned {
				c.log.Error("callback has exited its goroutine", slog.String("callback", name))
			}
			done(returned)
		}()
		f()
		returned = true
	})
}
