package main

func Example() {
	main()
	// Output:
	// the cancel ended 2 operations:
	// music: failed, cancelled (400/8508)
	// menu: failed, cancelled (400/8508)
	// then goodbye: completed, succeeded (200/0)
}
