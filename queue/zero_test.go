package queue_test

import (
	"context"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"ivrqueue/operation"
	"ivrqueue/queue"
)

// Each method that needs a queue which New has made panics with that, and every time: none leaves it
// locked. All other types have a zero value that does no harm.
func TestAZeroValueDoesNoHarmOrSaysWhoMakesIt(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		zero  any
		panic string // what its methods may panic with; none if it is empty
	}{
		{new(queue.Queue), "queue: a Queue that New did not make"},
		{new(queue.Group), ""},
		{queue.Active{}, ""},
		{queue.Task{}, ""},
		{queue.Receipt{}, ""},
		{queue.Event{}, ""},
		{queue.EventKind(0), ""},
		{new(queue.PanicError), ""},
	} {
		for name, call := range methods(t.Context(), c.zero) {
			for range 2 {
				soon(t, name, func() {
					defer func() {
						if v := recover(); v != nil && (c.panic == "" || v != c.panic) {
							t.Errorf("%s panics: %v", name, v)
						}
					}()
					call()
				})
			}
		}
	}
	defer func() {
		if v := fmt.Sprint(recover()); !strings.Contains(v, "New did not make") {
			t.Errorf("CancelAll panics: %s", v)
		}
	}()
	new(queue.Queue).CancelAll()
}

// methods returns calls of all methods of v, by name, each with arguments that are good where the
// zero value is not.
func methods(ctx context.Context, v any) map[string]func() {
	ended, cancel := context.WithCancel(ctx)
	cancel()
	good := map[reflect.Type]any{
		reflect.TypeFor[context.Context](): ctx, reflect.TypeFor[operation.Request](): play(),
		reflect.TypeFor[func(*operation.Operation) bool](): func(*operation.Operation) bool { return true },
		reflect.TypeFor[queue.Observer]():                  &nothing{}, reflect.TypeFor[queue.Media](): ender(),
	}
	all := map[string]func(){}
	value := reflect.ValueOf(v)
	for i := range value.NumMethod() {
		f, method := value.Method(i), value.Type().Method(i).Name
		if method == "LogLines" { // for tests, of a log that has room
			continue
		}
		var args []reflect.Value
		for in := range f.Type().Ins() {
			arg := reflect.New(in).Elem()
			if g, ok := good[in]; ok {
				arg = reflect.ValueOf(g)
			}
			if waits := []string{"Wait", "Drain", "Shutdown"}; in == reflect.TypeFor[context.Context]() &&
				slices.Contains(waits, method) {
				arg = reflect.ValueOf(ended)
			}
			args = append(args, arg)
		}
		all[fmt.Sprintf("%T.%s", v, method)] = func() {
			if f.Type().IsVariadic() {
				f.CallSlice(args)
				return
			}
			f.Call(args)
		}
	}
	return all
}

type nothing struct{}

func (*nothing) Observe(queue.Event) {}
