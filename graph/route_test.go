package graph_test

import (
	"cmp"
	"fmt"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"

	"ivrqueue/graph"
)

// Letter case does not matter in a path, wherever it is; Location says what the client can ask for.
func TestLetterCaseDoesNotMatterInAPath(t *testing.T) {
	t.Parallel()
	bot, call, _ := bench(t)
	id := call.ID().String()
	bot.base = "http://media.example"
	for _, path := range []string{
		"/v1.0/Communications/Calls/" + id + "/playPrompt", "/v1.0/communications/calls/" + id + "/PlayPrompt", "/V1.0/COMMUNICATIONS/CALLS/" + strings.ToUpper(id) + "/PLAYPROMPT/",
		"/BETA/App/Calls/" + dashless(id) + "/Microsoft.Graph.playPrompt", "/communications/calls/" + strings.ToLower(dashless(id)) + "/MICROSOFT.GRAPH.RECORDRESPONSE",
		"/communications/Calls/" + id + "/RECORD", "/communications/calls/" + id + "/canceLmediAprocessinG", "/communications/calls/" + id + "/subscribetotone",
	} {
		r := bot.request(http.MethodPost, path, playBody).must(t, 200)
		location, _ := strings.CutPrefix(r.header.Get("Location"), bot.base)
		if got := bot.request(http.MethodGet, location, nil).must(t, 200); got.text("id") != r.text("id") {
			t.Errorf("%s: Location %s: got %s", path, location, show(got.body))
		}
		bot.request(http.MethodGet, strings.ToUpper(location), nil).must(t, 200)
	}
	for path, want := range map[string]int{
		"/Communications/CALLS/" + id: 200, "/communications/calls/" + id + "/Operations": 200, "/communications/calls/" + id + "/OPERATIONS/7": 404,
		"/communications/calls/" + id + "/playPrompts": 404, "/communication/calls/" + id: 404,
	} {
		bot.request(http.MethodGet, path, nil).must(t, want)
	}
	r := bot.request(http.MethodGet, "/communications/calls/"+id+"/PLAYPROMPT", nil).must(t, 405)
	if r.header.Get("Allow") != "POST" {
		t.Errorf("Allow: got %q", r.header.Get("Allow"))
	}
	bot.request(http.MethodPost, "/communications/CALLS", `{"callbackUri":"x"}`).must(t, 201)
	bot.request(http.MethodDelete, "/communications/Calls/"+strings.ToUpper(id), nil).must(t, 204)
}

// The docs list the endpoints as they are routed. ENDPOINTS=write writes the list.
func TestTheDocsListTheEndpoints(t *testing.T) {
	t.Parallel()
	const page, begin, end = "../docs/endpoints.md", "<!-- endpoints:begin -->\n", "<!-- endpoints:end -->"
	var list strings.Builder
	list.WriteString("| method | path | page |\n|---|---|---|\n")
	routes := newPlatform(t, new(inbox).Deliver).handler.Routes()
	slices.SortFunc(routes, func(a, b graph.Route) int {
		return cmp.Or(cmp.Compare(a.Path, b.Path), cmp.Compare(a.Method, b.Method))
	})
	for _, r := range routes {
		follows := "none: the schema has it, no page"
		if r.Page != "" {
			follows = fmt.Sprintf("[%s](https://learn.microsoft.com/graph/api/%[1]s)", r.Page)
		}
		if r.Missing {
			follows += ": 501"
		}
		fmt.Fprintf(&list, "| %s | `%s` | %s |\n", r.Method, r.Path, follows)
	}
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, found := strings.Cut(string(text), begin)
	was, after, closed := strings.Cut(rest, end)
	if !found || !closed {
		t.Fatalf("%s has no list between its markers", page)
	}
	if os.Getenv("ENDPOINTS") == "write" {
		if err := os.WriteFile(page, []byte(before+begin+list.String()+end+after), 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	if was != list.String() {
		t.Errorf("%s has\n%s\nthe routes are\n%s\nwrite it with make generate", page, was, list.String())
	}
}

// The path of each request is read: split, in lower case, with room for what it says.
func TestAPathIsReadWithThreeAllocations(t *testing.T) { //nolint:paralleltest // counts allocations
	for _, path := range []string{
		"/v1.0/communications/calls/57dab8b1-894c-409a-b240-bd8beae78896/cancelMediaProcessing",
		"/v1.0/communications/calls('57dab8b1-894c-409a-b240-bd8beae78896')/playPrompt/",
	} {
		read := false
		n := testing.AllocsPerRun(1000, func() { read = graph.IsPathOfCalls(path) })
		if !read || n > 3 {
			t.Errorf("%s: read %v with %v allocations, want at most 3", path, read, n)
		}
	}
}
