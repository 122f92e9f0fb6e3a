package graph

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
)

// The roles by which an application may create calls, as the create page has them
// (https://learn.microsoft.com/graph/api/application-post-calls): each is for calls of one kind.
const (
	RoleInitiate         = "Calls.Initiate.All"             // calls with one other participant
	RoleInitiateGroup    = "Calls.InitiateGroupCall.All"    // calls with several targets
	RoleJoinGroup        = "Calls.JoinGroupCall.All"        // calls to a meeting
	RoleJoinGroupAsGuest = "Calls.JoinGroupCallAsGuest.All" // the same
	RoleJoinGroupChat    = "Calls.JoinGroupCalls.Chat"      // the same, by the chat's consent
)

var (
	rolesToCall  = []string{RoleInitiate}
	rolesToGroup = []string{RoleInitiateGroup}
	rolesToJoin  = []string{RoleJoinGroup, RoleJoinGroupAsGuest, RoleJoinGroupChat}

	rolesToCreate = slices.Concat(rolesToCall, rolesToGroup, rolesToJoin)
)

// roles returns the roles of which the call needs one.
func (b *callBody) roles() []string {
	switch {
	case b.MeetingInfo != nil || b.ChatInfo != nil:
		return rolesToJoin
	case len(b.Targets) > 1:
		return rolesToGroup
	default:
		return rolesToCall
	}
}

// need returns an error if the application has none of these roles.
func (a *Application) need(roles []string) error {
	for _, has := range a.Roles {
		if slices.ContainsFunc(roles, func(r string) bool { return sameRole(has, r) }) {
			return nil
		}
	}
	return &apiError{
		status: http.StatusForbidden, code: codeForbidden,
		message: fmt.Sprintf("Insufficient permissions, cannot access this API: %s is required.",
			strings.Join(roles, " or ")),
		header: [2]string{"WWW-Authenticate", `Bearer error="insufficient_scope"`}, // RFC 6750, 3.1
	}
}

// sameRole compares role names. The page itself writes some of them in two ways, with GroupCall and
// with GroupCalls, AsGuest and asGuest.
func sameRole(a, b string) bool {
	plain := func(s string) string { return strings.Replace(s, "GroupCalls", "GroupCall", 1) }
	return strings.EqualFold(plain(a), plain(b))
}
