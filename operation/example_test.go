package operation_test

import (
	"errors"
	"fmt"
	"time"

	"ivrqueue/operation"
	"ivrqueue/tone"
)

// A bad request is an error that names the field, the value and the limit.
func ExamplePlay() {
	music := operation.Play("file:intro.wav", "file:music.wav")
	music.Loop = true
	fmt.Println(music.Prompts[1].URI, music.Validate())
	fmt.Println(operation.Play().Validate())
	// Output:
	// file:music.wav <nil>
	// operation: prompts is none, must be 1 to 20
}

func ExampleRecordResponse_Validate() {
	stop, err := tone.ParseSet("#")
	if err != nil {
		fmt.Println(err)
	}
	record := &operation.RecordResponse{StopTones: stop, MaxDuration: 3 * time.Minute}
	fmt.Println(record.Validate())
	// Output: operation: maxDuration is 3m0s, must be 1s to 2m0s, or zero for 5s
}

// A reason is a row of the table of results, and an error.
func ExampleReason() {
	why := operation.BargedIn
	fmt.Println(why.Status(), why.Code(), why.Subcode(), why.Message())
	fmt.Println(why.CompletionReason(operation.KindPlayPrompt))
	fmt.Println(errors.Is(why, operation.Cancelled))
	// Output:
	// failed 400 8508 Action failed, the operation was cancelled.
	// mediaOperationCanceled
	// true
}

// A reason of a platform's own is one like the others: media reports it, in an error or alone, and
// the wire shows it.
func ExampleRegisterReason() {
	lineLost, err := operation.RegisterReason(operation.ReasonSpec{
		Name: "contoso.lineLost", Status: operation.Failed, Code: 500, Subcode: 9010,
		Message: "The line to the caller was lost.",
	})
	if err != nil {
		fmt.Println(err)
	}
	why := operation.ReasonOf(fmt.Errorf("gateway 7: %w", lineLost))
	fmt.Println(why == lineLost, why.Status(), why.Code(), why.Subcode(), why.Message())

	_, err = operation.RegisterReason(operation.ReasonSpec{Name: "contoso.busy", Status: operation.Failed})
	fmt.Println(err)
	// Output:
	// true failed 500 9010 The line to the caller was lost.
	// operation: reason.code is 0, must be 400 to 599 if failed
}

// The lifecycle is a looplab/fsm machine of which anyone may have a copy.
func ExampleNewMachine() {
	m := operation.NewMachine()
	fmt.Println(m.Current(), m.Can("start"), m.Can("complete"))
	_, err := operation.Completed.After(operation.Start)
	fmt.Println(err)
	// Output:
	// notStarted true false
	// operation: no start from completed
}
