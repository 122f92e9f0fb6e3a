package main

func Example() {
	main()
	// Output:
	// ended: stopTone (200/8514), store https://recordings.contoso.com/call-1.wav, 60ms
	// ended: callEnded (400/8528)
	// released: callEnded (400/8528), store https://recordings.contoso.com/call-1.wav, 60ms
}
