package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"ivrqueue/examples/ivr/demo"
	"ivrqueue/media"
	"ivrqueue/operation"
	"ivrqueue/queue"
	"ivrqueue/tone"
)

// script is the call as it should go. Each step returns an error where it does not.
type script struct {
	sounds  sounds
	queue   *queue.Queue
	phone   *media.Phone
	tones   *tone.Stream
	witness *witness
	line    *timeline

	accepted []*operation.Operation
	recorded operation.Recording
}

// play goes through the steps.
func (s *script) play(ctx context.Context) error {
	for _, step := range []func(context.Context) error{
		s.opening, s.cancel, s.bargeIn, s.goodbye, s.check,
	} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	return nil
}

// opening: the prompts are queued at once and played in order; a key is pressed during the first.
func (s *script) opening(ctx context.Context) error {
	var ops []*operation.Operation
	for _, sound := range s.sounds.opening {
		op, err := s.enqueue(ctx, sound.name, &operation.PlayPrompt{Prompts: sound.prompts()})
		if err != nil {
			return err
		}
		ops = append(ops, op)
	}
	first := s.sounds.opening[0]
	if err := s.during(ctx, ops[0], first, time.Second); err != nil {
		return err
	}
	heard, err := s.press(ctx, tone.Tone1)
	if err != nil {
		return err
	}
	// A prompt of a few frames may be over before the key is, and any on a machine that was held up.
	if _, over := ops[0].Result(); !over && heard.while != first.name {
		return fmt.Errorf("the key was heard while %q ran, want %q", heard.while, first.name)
	}
	for _, op := range ops {
		if err := s.wantEnd(ctx, op, operation.Succeeded); err != nil {
			return err
		}
	}
	return nil
}

// cancel: a key is pressed in the middle of a prompt, and the bot cancels that and all that waits.
// The line is silent then, and the tones still flow.
func (s *script) cancel(ctx context.Context) error {
	hours, err := s.enqueue(ctx, "hours", &operation.PlayPrompt{Prompts: s.sounds.hours.prompts()})
	if err != nil {
		return err
	}
	music, err := s.enqueue(ctx, "music", s.musicRequest())
	if err != nil {
		return err
	}
	record, err := s.enqueue(ctx, "record", s.recordRequest(false))
	if err != nil {
		return err
	}
	if err := s.during(ctx, hours, s.sounds.hours, 1200*time.Millisecond); err != nil {
		return err
	}
	if _, err := s.press(ctx, tone.Tone2); err != nil {
		return err
	}

	s.line.now("bot", "CancelAll", "")
	s.witness.cancels("cancel")
	receipt := s.queue.CancelAll(queue.ClientContext("cancel"))
	cancelled := time.Now()
	live := []*operation.Operation{hours, music, record}
	if r, _ := hours.Result(); r.Reason == operation.Succeeded { // the machine was held up until then
		live = live[1:]
	}
	if err := s.wantCancelled(ctx, receipt, operation.Cancelled, live...); err != nil {
		return err
	}
	if err := demo.Pause(ctx, 300*time.Millisecond); err != nil {
		return err
	}
	before := cancelled.Sub(s.phone.LastHeard())
	if before < -media.FrameTime {
		return fmt.Errorf("a frame was heard %v after the cancel, want at most %v",
			-before, media.FrameTime)
	}
	s.line.now("caller", "hears silence; last frame "+milliseconds(before)+" before cancel", "")
	if _, err := s.press(ctx, tone.Tone3); err != nil {
		return err
	}
	return demo.Pause(ctx, time.Until(cancelled.Add(silence)))
}

// silence is how long nothing is played after the cancel, so that one hears what it does.
const silence = time.Second

// bargeIn: a recording barges in on the music; the caller speaks and presses #.
func (s *script) bargeIn(ctx context.Context) error {
	music, err := s.enqueue(ctx, "music", s.musicRequest())
	if err != nil {
		return err
	}
	if err := s.during(ctx, music, s.sounds.music, time.Second); err != nil {
		return err
	}
	s.line.now("bot", "Interrupt", "")
	s.witness.cancels("barge-in")
	record, receipt, err := s.queue.Interrupt(ctx, s.recordRequest(true),
		queue.ClientContext("record"))
	if err != nil {
		return fmt.Errorf("interrupt: %w", err)
	}
	s.accepted = append(s.accepted, record)
	if _, err := s.witness.event(ctx, record, queue.Started); err != nil {
		return err
	}
	if err := s.wantCancelled(ctx, receipt, operation.BargedIn, music); err != nil {
		return err
	}
	const moment = 300 * time.Millisecond
	if err := demo.Pause(ctx, s.sounds.record.length()+media.BeepTime+moment); err != nil {
		return err
	}
	speech := min(s.sounds.caller.length(), longestSpeech)
	s.line.now("caller", "speaks for "+seconds(speech), "")
	s.phone.Say(s.sounds.caller.samples)
	if err := demo.Pause(ctx, speech+200*time.Millisecond); err != nil {
		return err
	}
	if _, err := s.press(ctx, tone.Pound); err != nil {
		return err
	}
	if err := s.wantEnd(ctx, record, operation.StopTone); err != nil {
		return err
	}
	r, _ := record.Result()
	s.recorded = r.Recording
	if least := speech / 10; s.recorded.Duration < least { // a machine that is held up misses some
		return fmt.Errorf("%v were recorded of the %v that the caller spoke, want at least %v",
			s.recorded.Duration, speech, least)
	}
	return nil
}

// goodbye: the last prompt is played to its end, nothing more is accepted, and the queue closes.
func (s *script) goodbye(ctx context.Context) error {
	bye, err := s.enqueue(ctx, "goodbye", &operation.PlayPrompt{Prompts: s.sounds.goodbye.prompts()})
	if err != nil {
		return err
	}
	if _, err := s.witness.event(ctx, bye, queue.Started); err != nil {
		return err
	}
	s.line.now("bot", "Seal", "")
	s.queue.Seal()
	_, err = s.queue.Enqueue(ctx, &operation.PlayPrompt{Prompts: s.sounds.music.prompts()})
	if !errors.Is(err, queue.ErrClosed) {
		return errors.Join(errors.New("an Enqueue after Seal was not refused as closed"), err)
	}
	s.line.now("bot", "Enqueue is refused: "+err.Error(), "")
	if err := s.wantEnd(ctx, bye, operation.Succeeded); err != nil {
		return err
	}
	if _, err := s.witness.event(ctx, nil, queue.Closed); err != nil {
		return err
	}
	s.tones.End()
	s.line.now("call", "the bot hangs up", "")
	return nil
}

// check looks at the call as a whole.
func (s *script) check(context.Context) error {
	at := 0
	for _, op := range s.witness.order() {
		for at < len(s.accepted) && s.accepted[at] != op {
			at++
		}
		if at == len(s.accepted) {
			return fmt.Errorf("%s started out of order", op.ClientContext())
		}
	}
	return nil
}

// longestSpeech leaves a recording of 120 s room for silence before and behind.
const longestSpeech = 115 * time.Second

func (s *script) musicRequest() *operation.PlayPrompt {
	return &operation.PlayPrompt{Prompts: s.sounds.music.prompts(), Loop: true}
}

// recordRequest asks for as much time as the caller's file needs.
func (s *script) recordRequest(bargeIn bool) *operation.RecordResponse {
	limit := s.sounds.caller.length() + 2*time.Second
	limit = min(max(limit, operation.DefaultRecordTime), operation.MaxRecordTime)
	return &operation.RecordResponse{
		Prompts: s.sounds.record.prompts(), BargeIn: bargeIn, StopTones: tone.SetOf(tone.Pound),
		InitialSilence: limit, MaxSilence: limit, MaxDuration: limit,
	}
}
