// Package goroutines counts goroutines for tests.
package goroutines

import "runtime"

// Count returns how many goroutines there are, finalizers and cleanups that run just now among
// them. It stops the world for it: [runtime.NumGoroutine] reads several lists one after the other,
// and is wrong by 32 when goroutines that have ended move from one to another meanwhile.
func Count() int {
	var one [1]runtime.StackRecord // with none, it does not stop the world
	n, _ := runtime.GoroutineProfile(one[:])
	return n
}
