package graph

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"regexp"
	"slices"
	"strings"

	"ivrqueue/operation"
)

// Limits of a platform's own kinds.
const (
	MaxActionName = 64      // characters of an action's name
	MaxTypeName   = 128     // characters of an operation's type
	MaxOutcome    = 4 << 10 // bytes of an operation's outcome, as JSON
)

// KindSpec is a kind of operation of the platform's own, as [WithKind] puts it on the wire.
type KindSpec struct {
	// Kind is what the requests' Kind method returns; none of those that Graph's actions make.
	Kind operation.Kind

	// Action is the name of the action with which clients ask for such an operation: POST
	// /communications/calls/{call}/Action, in every form that Graph's own have, and in any letter
	// case. It is 1 to 64 ASCII letters, digits and underscores, the first a letter, and none of the
	// names that Graph has below a call. Default: none; the platform alone enqueues the kind.
	Action string

	// Decode reads the request of the action from the body, a JSON object that is valid, within the
	// limits of all bodies, and has each member once (letter case does not count); clientContext in
	// it is the handler's. The body is Decode's to keep. Decode may be called at once with itself,
	// on the goroutine of the client's request.
	//
	// Of its errors an *operation.FieldError and a *json.UnmarshalTypeError of the whole body are
	// answered with 400 and the member, an [*Error] as it says, and others with 500. It is required
	// if there is an Action, and an error without one.
	Decode func(body []byte) (operation.Request, error)

	// Type is the @odata.type of the operations: #, a namespace, a dot and a name, in at most 128
	// characters, such as #contoso.media.speakOperation. A type that is not Graph's own is one that
	// a client must know. Default: #microsoft.graph.commsOperation, what all operations of Graph
	// derive from (https://learn.microsoft.com/graph/api/resources/commsoperation).
	Type string

	// Outcome returns what clients see of the result of an operation that has ended, as the member
	// outcome: a value that encoding/json can write, in at most 4 KiB, or nil for nothing. An
	// operation that was cancelled has no Value, since its media had not reported by then; of one
	// that the end of the call broke off, the notification waits for what the media says last.
	//
	// It is called on a goroutine of its own, for which the call's events wait, or a client that
	// reads an operation which has just ended: so perhaps more than once, and at once with itself.
	// What can't be shown is left out, and logged. Default: no outcome.
	Outcome func(operation.Result) any
}

// WithKind adds a kind of the platform's own. Repeatable; a second one with the same Kind or the
// same Action is an error of New. Default: none; operations of kinds that the platform enqueues
// are shown as commsOperation.
func WithKind(k KindSpec) Option {
	return func(c *config) { c.ownKinds = append(c.ownKinds, k) }
}

// kinds know how operations are shown, with the kinds of the platform's own.
type kinds struct {
	own    []*KindSpec
	logger *slog.Logger
}

// of returns the platform's own kind of this name, or nil. There are few.
func (s *kinds) of(k operation.Kind) *KindSpec {
	for _, own := range s.own {
		if own.Kind == k {
			return own
		}
	}
	return nil
}

// typeOf names the resource of a kind.
func (s *kinds) typeOf(k operation.Kind) string {
	if own := s.of(k); own != nil && own.Type != "" {
		return own.Type
	}
	return typeOf(k)
}

// outcomeOf shows the outcome of an operation that has ended, if its kind has one.
func (s *kinds) outcomeOf(k operation.Kind, r operation.Result) json.RawMessage {
	own := s.of(k)
	if own == nil || own.Outcome == nil {
		return nil
	}
	text, err := own.outcome(r)
	if err != nil {
		s.logger.Error("graph: outcome left out", slog.String("kind", string(k)),
			slog.Any("error", err))
	}
	return text
}

// outcome calls Outcome where it can do no harm: it may panic, or exit its goroutine, and whoever
// asks has more to do.
func (k *KindSpec) outcome(r operation.Result) (text json.RawMessage, err error) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer func() {
			if v := recover(); v != nil {
				err = fmt.Errorf("panic: %v", v)
			}
		}()
		err = errors.New("it has exited its goroutine")
		text, err = json.Marshal(k.Outcome(r))
	}()
	<-done
	switch {
	case err != nil || string(text) == "null":
		return nil, err
	case len(text) > MaxOutcome:
		return nil, fmt.Errorf("%d bytes: must be at most %d", len(text), MaxOutcome)
	case !isUnicode(text):
		return nil, errors.New("text that is not Unicode: must be valid UTF-8, and whole characters")
	}
	return text, nil
}

// ownAction answers the action of a kind of the platform's own.
func (k *KindSpec) ownAction(x *request) (*reply, error) {
	body, err := x.text()
	if err != nil {
		return nil, err
	}
	var common actionBody
	if err := unmarshal(body, &common); err != nil {
		return nil, err
	}
	cost := operationCost + int64(len(body))
	req, err := k.Decode(body)
	if kind, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		return nil, badJSON(body, kind)
	}
	if err != nil {
		return nil, named("Decode of "+k.Action, err)
	}
	if req == nil {
		return nil, fmt.Errorf("action %s: Decode returned no request", k.Action)
	}
	if got := req.Kind(); got != k.Kind {
		return nil, fmt.Errorf("action %s: Decode returned a request of kind %.80q, not %.80q",
			k.Action, got, k.Kind)
	}
	return x.enqueue(req, common.ClientContext, cost)
}

// ownRoutes are the actions of the platform's own kinds.
func (h *Handler) ownRoutes() (routes []route) {
	for _, k := range h.kinds.own {
		if k.Action != "" {
			routes = append(routes, route{
				method: http.MethodPost, path: callPattern + "/" + k.Action, endpoint: ofCall(k.ownAction),
			})
		}
	}
	return routes
}

var (
	actionName = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_]*$`)
	typeName   = regexp.MustCompile(`^#([A-Za-z_][A-Za-z0-9_]*\.)+[A-Za-z_][A-Za-z0-9_]*$`)
)

// check returns an error that names the first member that is wrong, given the routes of Graph.
func (k *KindSpec) check(graphs []route) error {
	if err := operation.ValidateKind(k.Kind); err != nil {
		return err
	}
	switch {
	case typeOf(k.Kind) != typeOf(""):
		return fmt.Errorf("the Kind is %.80q, must be none of Graph's", k.Kind)
	case k.Action == "" && k.Decode != nil:
		return errors.New("without an Action: must have no Decode")
	case k.Type != "" && (len(k.Type) > MaxTypeName || !typeName.MatchString(k.Type)):
		return fmt.Errorf("the Type is %.80q, must be #namespace.name, in at most %d characters",
			k.Type, MaxTypeName)
	case k.Action == "":
		return nil
	case len(k.Action) > MaxActionName || !actionName.MatchString(k.Action):
		return fmt.Errorf(
			"the Action is %.80q, must be 1 to %d letters, digits and underscores, the first a letter",
			k.Action, MaxActionName)
	case k.Decode == nil:
		return fmt.Errorf("the Action is %q: nil Decode", k.Action)
	}
	taken := func(r route) bool {
		name, _, _ := strings.Cut(strings.TrimPrefix(r.path, callPattern+"/"), "/")
		return strings.EqualFold(name, k.Action)
	}
	if slices.ContainsFunc(graphs, taken) {
		return fmt.Errorf("the Action is %q, must be none of the names that Graph has below a call",
			k.Action)
	}
	return nil
}

// checkKinds takes the platform's own kinds, if they are good.
func (h *Handler) checkKinds(own []KindSpec) error {
	h.kinds.logger = h.config.logger
	graphs := h.routes()
	for i := range own {
		k := &own[i]
		if err := k.check(graphs); err != nil {
			return fmt.Errorf("graph: WithKind: %w", err)
		}
		for _, other := range h.kinds.own {
			switch {
			case other.Kind == k.Kind:
				return fmt.Errorf("graph: WithKind: Kind %.80q comes twice", k.Kind)
			case k.Action != "" && strings.EqualFold(other.Action, k.Action):
				return fmt.Errorf("graph: WithKind: Action %q comes twice", k.Action)
			}
		}
		h.kinds.own = append(h.kinds.own, k)
	}
	return nil
}
