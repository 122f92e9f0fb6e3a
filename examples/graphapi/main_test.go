package main

func Example() {
	main()
	// Output:
	// bot: POST call 201 Created
	// notification: call established
	// bot: POST /playPrompt 200 OK
	// bot: POST /cancelMediaProcessing 200 OK
	// notification: playPromptOperation failed 400/8508
	// bot: DELETE call 204 No Content
	// notification: call terminating
	// notification: call terminated 200/5001
}
