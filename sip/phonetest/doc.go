// Package phonetest calls package sip with telephones that others have made: baresip, which plays,
// records, presses keys, holds and resumes, and sipp, which follows scenarios to the letter, wrong
// ones too. Its tests have the build tag phones, and need both programs:
//
//	apt-get install --no-install-recommends baresip sip-tester
//	make phones
package phonetest
