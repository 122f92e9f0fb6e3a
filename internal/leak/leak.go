// Package leak has the tests of a package fail if they leave a goroutine.
package leak

import (
	"time"

	"go.uber.org/goleak"
)

// patience is how long a goroutine may take to end. goleak's own is less than half a second, and a
// machine may hold up for longer what is about to end.
const patience = time.Minute

// Verify is for a TestMain: goleak's VerifyTestMain, with patience. It takes no goleak.Cleanup.
func Verify(m goleak.TestingM, options ...goleak.Option) {
	goleak.VerifyTestMain(patient{m, options}, options...)
}

// patient waits after the tests until nothing is left, but for so long at most.
type patient struct {
	goleak.TestingM

	options []goleak.Option
}

func (p patient) Run() int {
	code := p.TestingM.Run()
	for over := time.Now().Add(patience); code == 0 && time.Now().Before(over); {
		if goleak.Find(p.options...) == nil {
			break
		}
	}
	return code
}
