package main

func Example() {
	main()
	// Output:
	// a is asked for a call: 201 Created
	// notification: call established
	// b is asked to play in it: 200 OK
	// a ends
	// notification: playPromptOperation failed 500/9999
	// notification: call terminated 500/9999
}
