package main

// pick is benchmarks that run in one process.
type pick struct {
	pattern   string // as go test -bench takes it
	benchtime string // of one sample, as go test -benchtime takes it
	samples   int    // in each turn
}

// picks are what matters to users and to the budgets. A sample is so short that some of those of a
// round find the processor undisturbed; of what takes long to prepare there are fewer. Where the
// number of operations is given it is because each attempt at a duration would prepare anew.
var picks = []pick{
	{
		"^BenchmarkLiveCalls$/^(inline|default|blocking)$/^calls=1$|" +
			"^BenchmarkCancelAll$/^inline$/^depth=(1|10|100|1000)$|" +
			"^BenchmarkCancelAll$/^inline$/^awaited$/^depth=(100|1000)$|" +
			"^BenchmarkTone$/^ours$/^subscribers=1$", "1ms", 10,
	},
	// The first of its requests opens the connection: a machine that does fewer would count more.
	{"^BenchmarkHTTPCancel$/^(ours|victim)$", "20x", 10},
	{"^BenchmarkBurst$/^(inline|default)$", "1x", 8},
	{
		"^BenchmarkContended$/^(inline|default)$/^producers=1$|" +
			"^BenchmarkContended$/^inline$/^producers=2$|" +
			"^BenchmarkParallel$/^inline$", "5000x", 1,
	},
	{"^BenchmarkLiveCalls$/^(inline|default)$/^calls=100000$", "5ms", 1},
	{"^BenchmarkIdleCall$/^inline$", "1x", 1},
}
