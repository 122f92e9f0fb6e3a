package main

func Example() {
	main()
	// Output:
	// closed 1 call: context canceled
	// goodbye.wav: completed, succeeded (200/0)
	// news.wav: failed, shutDown (500/8572)
	// calls left: 0
}
