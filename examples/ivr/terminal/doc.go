// Package terminal is what the program needs to print for people: colours where they are wanted,
// and text from elsewhere that cannot command a terminal.
package terminal
