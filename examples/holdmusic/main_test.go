package main

func Example() {
	main()
	// Output:
	// heard music.wav
	// heard music.wav
	// barge-in ended 1, the notice is live: true
	// heard calls-are-recorded.wav
	// heard you-are-next.wav
	// heard music.wav
	// the music: completed, succeeded (200/0)
}
