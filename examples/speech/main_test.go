package main

func Example() {
	main()
	// Output:
	// refused: operation: text is 0 bytes, must be 1 to 1000 bytes
	// the caller hears "Welcome to Contoso."
	// made meanwhile:  "Please hold the line."
	// the caller hears "Please hold the line.", made ahead: true
}
