package main

func Example() {
	main()
	// Output:
	// ivr: alice calls
	// alice: heard sound, then silence: maxSilence (200/8509)
	// ivr: the call has ended: peerHungUp
}
