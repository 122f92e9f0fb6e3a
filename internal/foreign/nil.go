// Package foreign is how the packages of this library ask about values that others gave them,
// whose methods are code of others.
package foreign

import "reflect"

// IsNil reports whether v is nil, or holds a pointer, map, function, channel or slice that is. It
// calls no method of v.
func IsNil(v any) bool {
	switch r := reflect.ValueOf(v); r.Kind() {
	case reflect.Invalid:
		return true
	case reflect.Pointer, reflect.Map, reflect.Func, reflect.Chan, reflect.Slice,
		reflect.UnsafePointer:
		return r.IsNil()
	default:
		return false
	}
}
