package main

// Run is the program without the process around it.
var Run = run

// Main is the program.
var Main = main
