package operation_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"ivrqueue/operation"
)

type panicky struct{}

func (panicky) Error() string { return "panicky" }
func (panicky) Unwrap() error { panic("here") }

type endless struct{}

func (*endless) Error() string   { return "endless" }
func (e *endless) Unwrap() error { return e }

func TestDetailIsWhatMediaHasMadePublic(t *testing.T) {
	t.Parallel()
	secret := errors.New("dial tcp 10.1.2.3:443: password hunter2")
	public := &operation.PublicError{Text: "answered 404, must be 200", Err: secret}
	reasoned := fmt.Errorf("%w: %w", operation.NotDownloadable, public)
	long := strings.Repeat("ü", 500)
	for name, test := range map[string]struct {
		err  error
		want string
	}{
		"nothing":                    {nil, ""},
		"no public cause":            {fmt.Errorf("x: %w: %w", operation.NotDownloadable, secret), ""},
		"a prompt":                   {&operation.PromptError{Index: 2, Err: secret}, "prompts[2]"},
		"a prompt without cause":     {&operation.PromptError{Index: 19}, "prompts[19]"},
		"a cause":                    {reasoned, "answered 404, must be 200"},
		"both":                       {fmt.Errorf("softmedia: %w", &operation.PromptError{Index: 0, Err: reasoned}), "prompts[0]: answered 404, must be 200"},
		"the cause outside":          {&operation.PublicError{Text: "a", Err: &operation.PromptError{Index: 1}}, "prompts[1]: a"},
		"the first of several":       {errors.Join(&operation.PromptError{Index: 3, Err: public}, &operation.PromptError{Index: 4}), "prompts[3]: answered 404, must be 200"},
		"an empty text":              {&operation.PublicError{Err: secret}, ""},
		"a long text":                {&operation.PublicError{Text: "x" + long}, "x" + strings.Repeat("ü", 99) + "…"},
		"at the limit":               {&operation.PublicError{Text: long[:operation.MaxDetail]}, long[:operation.MaxDetail]},
		"a nil one":                  {(*operation.PublicError)(nil), ""},
		"a nil prompt":               {(*operation.PromptError)(nil), ""},
		"one that panics":            {errors.Join(&operation.PromptError{Index: 1, Err: panicky{}}), ""},
		"one that unwraps to itself": {new(endless), ""},
	} {
		if got := operation.Detail(test.err); got != test.want {
			t.Errorf("%s: got %q, want %q", name, got, test.want)
		}
	}
	if err := error(&operation.PromptError{Index: 2, Err: reasoned}); !errors.Is(err, operation.NotDownloadable) || !errors.Is(err, secret) ||
		operation.ReasonOf(err) != operation.NotDownloadable || err.Error() != "prompts[2]: notDownloadable (400/8536): answered 404, must be 200: dial tcp 10.1.2.3:443: password hunter2" {
		t.Errorf("got %v", err)
	}
}
