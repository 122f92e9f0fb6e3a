package main

func Example() {
	main()
	// Output:
	// file:menu.wav: completed, keyPressed (200/8514), by tone2
	// file:hours.wav: failed, bargedIn (400/8508), by recordResponse
}
