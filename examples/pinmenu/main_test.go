package main

func Example() {
	main()
	// Output:
	// enter-your-pin.wav: the caller presses 1234#, the first key ends it: keyPressed
	// that-was-not-right.wav: the caller presses 2468#, the first key ends it: keyPressed
	// the PIN is right
}
