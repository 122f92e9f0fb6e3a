#!/usr/bin/env bash
# Makes the demo's prompts again. Needs espeak-ng and sox (Debian packages of these names).
set -euo pipefail
cd "$(dirname "$0")"

# say NAME VOICE TEXT: mono, 16 bit, 16 kHz PCM, silence trimmed at both ends, at -6 dBFS.
say() {
	espeak-ng -v "$2" -s 165 -w speech.tmp.wav "$3"
	sox speech.tmp.wav -r 16000 -c 1 -b 16 -e signed-integer "$1.wav" \
		silence 1 0.02 0.5% reverse silence 1 0.02 0.5% reverse pad 0.05 0.08 norm -6
	rm speech.tmp.wav
}

say welcome en-us "Welcome to the I V R queue demo line."
say menu en-us "For opening hours press one. To leave a message, press two."
say hours en-us "We are open from nine to five."
say record en-us "Say your name, then press the pound key."
say goodbye en-us "Thank you for calling. Goodbye."
say pin en-us "Please enter your PIN, four digits, then press the pound key."
say pin-again en-us "That is not right. Please try again."
say caller en-gb "Hello, this is Alice, calling about my order."

# Hold music: four short chords, as loud as the speech, which has an RMS of -24 dBFS.
sox -n -r 16000 -c 1 -b 16 -e signed-integer music.tmp.wav \
	synth 1 sine 262 sine 330 sine 392 remix - fade 0.02 1 0.1 gain -3 : \
	synth 1 sine 220 sine 262 sine 330 remix - fade 0.02 1 0.1 gain -3 : \
	synth 1 sine 175 sine 220 sine 262 remix - fade 0.02 1 0.1 gain -3 : \
	synth 1 sine 196 sine 247 sine 294 remix - fade 0.02 1 0.1 gain -3
sox music.tmp.wav music.wav norm -15.4
rm music.tmp.wav
