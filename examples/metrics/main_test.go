package main

func Example() {
	main()
	// Output:
	// ivrqueue.media.silence.duration playPrompt: 1
	// ivrqueue.operation.run.duration playPrompt: 1
	// ivrqueue.operation.run.duration recordResponse: 1
	// ivrqueue.operation.wait.duration playPrompt: 1
	// ivrqueue.operation.wait.duration recordResponse: 1
	// ivrqueue.operations.accepted playPrompt: 2
	// ivrqueue.operations.accepted recordResponse: 1
	// ivrqueue.operations.ended playPrompt cancelled: 2
	// ivrqueue.operations.ended recordResponse succeeded: 1
}
