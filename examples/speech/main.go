// Command speech has an operation of one's own, text to speech, and media that makes the speech of
// a sentence while the caller still hears the one before it: no silence comes between them. That
// is in speaker.go. Here, main is the line: it says when a sentence has been heard.
//
//	go run ./examples/speech
//
// It prints:
//
//	refused: operation: text is 0 bytes, must be 1 to 1000 bytes
//	the caller hears "Welcome to Contoso."
//	made meanwhile:  "Please hold the line."
//	the caller hears "Please hold the line.", made ahead: true
package main

import (
	"context"
	"fmt"
	"log"

	"ivrqueue/operation"
	"ivrqueue/queue"
)

// Speak is a request to say a text.
type Speak struct{ Text string }

// Kind names this kind of operation, to media, in events and in metrics.
func (*Speak) Kind() operation.Kind { return "contoso.speak" }

// Validate is called by Enqueue, which returns its error and accepts nothing then.
func (s *Speak) Validate() error {
	if n := len(s.Text); n == 0 || n > 1000 {
		return &operation.FieldError{
			Field: "text", Value: fmt.Sprintf("%d bytes", n), Limit: "1 to 1000 bytes",
		}
	}
	return nil
}

func main() {
	ctx := context.Background()
	speaker := NewSpeaker()
	q, err := queue.New("call-1", speaker)
	if err != nil {
		log.Fatal(err)
	}
	_, err = q.Enqueue(ctx, &Speak{})
	fmt.Println("refused:", err)
	for _, text := range []string{"Welcome to Contoso.", "Please hold the line."} {
		if _, err := q.Enqueue(ctx, &Speak{text}); err != nil {
			log.Fatal(err)
		}
	}
	first := <-speaker.Line
	fmt.Printf("the caller hears %q\n", first.Text)
	fmt.Printf("made meanwhile:  %q\n", <-speaker.Made)
	close(first.Heard)

	second := <-speaker.Line
	fmt.Printf("the caller hears %q, made ahead: %t\n", second.Text, second.Ahead)
	close(second.Heard)

	if _, err := q.Shutdown(ctx, operation.CallEnded); err != nil { // waits for what is left to say
		log.Fatal(err)
	}
}
