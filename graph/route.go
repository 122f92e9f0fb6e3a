package graph

import (
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
)

// A route is an endpoint of the API at its canonical path; parsePath brings every form to it.
type route struct {
	method   string
	path     string // below the version; in lower case as it is matched
	page     string // that it follows, below https://learn.microsoft.com/graph/api/; empty for none
	endpoint endpoint
}

const (
	callsPattern = "/communications/calls"
	callPattern  = callsPattern + "/{call}"
)

// routes are the endpoints of the handler that Graph has too.
func (h *Handler) routes() []route {
	const calls, call = callsPattern, callPattern
	action := func(name, page string, e endpoint) route {
		return route{http.MethodPost, call + "/" + name, page, ofCall(e)}
	}
	routes := []route{
		{http.MethodGet, call, "call-get", ofCall((*request).getCall)},
		action("playPrompt", "call-playprompt", (*request).playPrompt),
		action("recordResponse", "call-record", (*request).recordResponse),
		action("record", "call-record", (*request).recordResponse), // its name in beta until 2019
		action("cancelMediaProcessing", "call-cancelmediaprocessing", (*request).cancelMediaProcessing),
		action("subscribeToTone", "call-subscribetotone", (*request).subscribeToTone),
		action("keepAlive", "call-keepalive", (*request).keepAlive),
		action("answer", "call-answer", (*request).answerCall),
		action("reject", "call-reject", (*request).rejectCall),
		action("redirect", "call-redirect", (*request).redirectCall),
		action("transfer", "call-transfer", (*request).transferCall),
		action("mute", "call-mute", (*request).mute),
		action("unmute", "call-unmute", (*request).unmute),
		action("updateRecordingStatus", "call-updaterecordingstatus",
			(*request).updateRecordingStatus),
		action("sendDtmfTones", "call-senddtmftones", (*request).sendTones),
		{
			http.MethodGet, call + "/participants", "call-list-participants",
			ofCall((*request).listParticipants),
		},
		{
			http.MethodGet, call + "/participants/{participant}", "participant-get",
			ofCall((*request).getParticipant),
		},
		{http.MethodGet, call + "/operations", "", ofCall((*request).listOperations)},
		{
			http.MethodGet, call + "/operations/{operation}", "addlargegalleryviewoperation-get",
			ofCall((*request).getOperation),
		},
	}
	if h.platform.CreateCall != nil {
		routes = append(routes, route{
			http.MethodPost, calls, "application-post-calls", (*request).createCall,
		})
	}
	if h.platform.HangUp != nil {
		routes = append(routes, route{
			http.MethodDelete, call, "call-delete", ofCall((*request).deleteCall),
		})
	}
	for _, m := range missing {
		e := (*request).notImplemented
		if strings.HasPrefix(m.path, "/{call}") {
			e = ofCall(e)
		}
		routes = append(routes, route{m.method, calls + m.path, m.page, e})
	}
	return routes
}

// missing are what pages have of calls, and we do not: 501. Their paths are below callsPattern.
var missing = []struct{ method, path, page string }{
	{http.MethodPost, "/logTeleconferenceDeviceQuality", "call-logteleconferencedevicequality"},
	{http.MethodPost, "/{call}/addLargeGalleryView", "call-addlargegalleryview"},
	{http.MethodPost, "/{call}/changeScreenSharingRole", "call-changescreensharingrole"},
	{http.MethodPost, "/{call}/participants/invite", "participant-invite"},
	{http.MethodPost, "/{call}/participants/muteAll", "participant-muteall"},
	{http.MethodDelete, "/{call}/participants/{participant}", "participant-delete"},
	{http.MethodPost, "/{call}/participants/{participant}/mute", "participant-mute"},
	{
		http.MethodPost, "/{call}/participants/{participant}/startHoldMusic",
		"participant-startholdmusic",
	},
	{http.MethodPost, "/{call}/participants/{participant}/stopHoldMusic", "participant-stopholdmusic"},
	{http.MethodGet, "/{call}/audioRoutingGroups", "call-list-audioroutinggroups"},
	{http.MethodPost, "/{call}/audioRoutingGroups", "call-post-audioroutinggroups"},
	{http.MethodGet, "/{call}/audioRoutingGroups/{group}", "audioroutinggroup-get"},
	{http.MethodPatch, "/{call}/audioRoutingGroups/{group}", "audioroutinggroup-update"},
	{http.MethodDelete, "/{call}/audioRoutingGroups/{group}", "audioroutinggroup-delete"},
	{http.MethodGet, "/{call}/contentSharingSessions", "call-list-contentsharingsessions"},
	{http.MethodGet, "/{call}/contentSharingSessions/{session}", "contentsharingsession-get"},
}

func (x *request) notImplemented() (*reply, error) { return nil, errNotImplemented }

// router finds routes by their paths below callsPattern, in lower case, with {} for each id.
type router map[string][]patternRoute

type patternRoute struct {
	route

	pattern string // method and path, as net/http writes them
}

var idPattern = regexp.MustCompile(`\{[a-z]+\}`)

func (h *Handler) newRouter() router {
	routes := router{"": nil} // there are calls, even if nothing can be done with all of them
	for _, r := range slices.Concat(h.routes(), h.ownRoutes()) {
		path := strings.ToLower(r.path)
		shape := idPattern.ReplaceAllLiteralString(strings.TrimPrefix(path, callsPattern), "{}")
		routes[shape] = append(routes[shape], patternRoute{r, r.method + " " + path})
	}
	return routes
}

// find returns the route of a request, or why there is none. A path that is a name is tried before
// one that is an id.
func (r router) find(method string, p *apiPath) (*patternRoute, *apiError) {
	var allow []string
	known := false
	for _, shape := range p.shapes() {
		routes, ok := r[shape]
		known = known || ok
		for i := range routes {
			has := routes[i].method
			if has == method || has == http.MethodGet && method == http.MethodHead {
				return &routes[i], nil
			}
			if allow = append(allow, has); has == http.MethodGet {
				allow = append(allow, http.MethodHead)
			}
		}
	}
	if !known {
		return nil, errNoResource
	}
	slices.Sort(allow)
	return nil, notAllowed(strings.Join(slices.Compact(allow), ", "))
}

// apiPath is what the path of a request says, in lower case but for the mount.
type apiPath struct {
	mount string   // what is before /communications/calls: where the handler is, and the version
	call  string   // the id of the call; empty for all calls
	below []string // what is asked of the call: a name, an id or another name, a name
}

// parsePath reads a path in any form: below any prefix, with either alias, with or without an OData
// qualifier, in any letter case, since in Graph's paths it does not matter
// (https://learn.microsoft.com/graph/traverse-the-graph). It reports whether the path is one of
// calls.
func parsePath(path string) (apiPath, bool) {
	if len(path) > MaxPath {
		return apiPath{}, false
	}
	path = strings.TrimSuffix(path, "/")
	lower := strings.Split(strings.ToLower(path), "/")
	at := -1
	for i := 1; i < len(lower) && at < 0; i++ {
		name, _, _ := keyed(lower[i])
		if name == "calls" && (lower[i-1] == "communications" || lower[i-1] == "app") {
			at = i
		}
	}
	if at < 0 {
		return apiPath{}, false
	}
	p := apiPath{mount: before(path, at-1)}
	rest := make([]string, 0, 4) // the call, and what is asked of it
	for i, s := range lower[at:] {
		name, key, ok := keyed(s)
		if i > 0 {
			rest = append(rest, name)
		}
		if ok {
			rest = append(rest, key)
		}
	}
	if last := len(rest) - 1; last > 0 {
		rest[last] = strings.TrimPrefix(rest[last], "microsoft.graph.")
	}
	if slices.ContainsFunc(rest, func(s string) bool { return s == "" || s == "." || s == ".." }) {
		return apiPath{}, false
	}
	if len(rest) > 0 {
		p.call, p.below = rest[0], rest[1:]
	}
	return p, true
}

// id is the one below the call, of an operation or a participant.
func (p *apiPath) id() string { return p.below[1] }

// shapes are the paths of routes that it may have, as a router has them.
func (p *apiPath) shapes() []string {
	switch {
	case p.call == "":
		return []string{""}
	case len(p.below) == 0:
		return []string{"/" + strings.TrimPrefix(p.call, "microsoft.graph."), "/{}"}
	}
	shape := "/{}/" + p.below[0]
	switch len(p.below) {
	case 1:
		return []string{shape}
	case 2:
		return []string{shape + "/" + p.below[1], shape + "/{}"}
	case 3:
		return []string{shape + "/{}/" + p.below[2]}
	default:
		return nil
	}
}

// before returns what is before segment n of a path. Lower case may be longer, so this counts in
// the path itself.
func before(path string, n int) string {
	end := 0
	for range n {
		end += strings.IndexByte(path[end:], '/') + 1
	}
	return path[:max(end-1, 0)]
}

// keyed separates the key that a segment has in parentheses, in quotes or without: calls('1') is
// calls/1 (OData URL Conventions, 4.3).
func keyed(segment string) (name, key string, ok bool) {
	name, key, ok = strings.Cut(segment, "(")
	key, closed := strings.CutSuffix(key, ")")
	if !ok || !closed {
		return segment, "", false
	}
	if len(key) > 1 && key[0] == '\'' && key[len(key)-1] == '\'' {
		key = key[1 : len(key)-1]
	}
	return name, key, true
}

// baseURL says how the client names the place below which it found us, given what of it is left in
// the path.
func (x *request) baseURL(seen string) string {
	if x.handler.config.base != "" {
		version := seen[max(strings.LastIndexByte(seen, '/'), 0):]
		if strings.EqualFold(version, "/v1.0") || strings.EqualFold(version, "/beta") {
			return x.handler.config.base + version
		}
		return x.handler.config.base
	}
	stripped := "" // by http.StripPrefix and its like
	if u, err := url.ParseRequestURI(x.r.RequestURI); err == nil {
		if s, ok := strings.CutSuffix(u.Path, x.r.URL.Path); ok {
			stripped = s
		}
	}
	u := url.URL{Scheme: "http", Host: x.r.Host, Path: stripped + seen}
	if x.r.TLS != nil || x.r.URL.Scheme == "https" {
		u.Scheme = "https"
	}
	return u.String()
}
