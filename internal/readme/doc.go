// Package readme holds the README to its word: its sample is an example that compiles, and the
// tests it names exist. It has tests only.
package readme
