package browser

import (
	"encoding/json"
	"fmt"
	"slices"
	"time"
)

// attach makes the page.
func (p *Page) attach(width, height int) {
	p.tb.Helper()
	var target struct {
		TargetID string `json:"targetId"`
	}
	p.call("Target.createTarget", map[string]any{"url": "about:blank"}, &target)
	var attached struct {
		SessionID string `json:"sessionId"`
	}
	p.call("Target.attachToTarget", map[string]any{"targetId": target.TargetID, "flatten": true}, &attached)
	p.session = attached.SessionID
	for _, domain := range []string{"Page", "Runtime", "Network", "Log"} {
		p.call(domain+".enable", nil, nil)
	}
	p.Resize(width, height)
	p.Dark(false)
}

// Resize makes the page so many pixels large.
func (p *Page) Resize(width, height int) {
	p.tb.Helper()
	p.call("Emulation.setDeviceMetricsOverride", map[string]any{
		"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600,
	}, nil)
}

// Dark chooses the dark colours of a page, or the light ones. Nothing moves by
// itself, so that where something is does not depend on when it is asked.
func (p *Page) Dark(on bool) {
	p.tb.Helper()
	scheme := map[bool]string{true: "dark", false: "light"}[on]
	p.call("Emulation.setEmulatedMedia", map[string]any{
		"features": []map[string]string{
			{"name": "prefers-color-scheme", "value": scheme}, {"name": "prefers-reduced-motion", "value": "reduce"},
		},
	}, nil)
}

// Go loads an address and waits until all of it is there.
func (p *Page) Go(url string) {
	p.tb.Helper()
	p.call("Page.navigate", map[string]any{"url": url}, nil)
	select {
	case <-p.loaded:
	case <-time.After(patience):
		p.tb.Fatalf("%s has not loaded in %v", url, patience)
	}
}

// Eval returns what an expression of JavaScript is on the page, as JSON decodes
// it.
func (p *Page) Eval(expression string) any {
	p.tb.Helper()
	var e struct {
		Result struct {
			Value any `json:"value"`
		} `json:"result"`
		Exception *struct {
			Text      string          `json:"text"`
			Exception json.RawMessage `json:"exception"`
		} `json:"exceptionDetails"`
	}
	p.call("Runtime.evaluate", map[string]any{"expression": expression, "returnByValue": true, "awaitPromise": true}, &e)
	if e.Exception != nil {
		p.tb.Fatalf("%s: %s %s", expression, e.Exception.Text, e.Exception.Exception)
	}
	return e.Result.Value
}

// Click presses the mouse on the middle of the first element that a selector
// finds.
func (p *Page) Click(selector string) {
	p.tb.Helper()
	at, ok := p.Eval(fmt.Sprintf(`(() => {
		const e = document.querySelector(%q)
		if (!e) return null
		e.scrollIntoView({block: "center", behavior: "instant"})
		const r = e.getBoundingClientRect()
		return [r.x + r.width / 2, r.y + r.height / 2]
	})()`, selector)).([]any)
	if !ok {
		p.tb.Fatalf("there is no %s on the page", selector)
	}
	for _, kind := range []string{"mousePressed", "mouseReleased"} {
		p.call("Input.dispatchMouseEvent", map[string]any{"type": kind, "x": at[0], "y": at[1], "button": "left", "clickCount": 1}, nil)
	}
}

// Press presses a key, such as "Tab" or "Enter".
func (p *Page) Press(key string) {
	p.tb.Helper()
	code := map[string]int{"Tab": 9, "Enter": 13, " ": 32}[key]
	text := map[string]string{"Enter": "\r", " ": " "}[key]
	p.call("Input.dispatchKeyEvent", map[string]any{"type": "keyDown", "key": key, "text": text, "windowsVirtualKeyCode": code}, nil)
	p.call("Input.dispatchKeyEvent", map[string]any{"type": "keyUp", "key": key, "windowsVirtualKeyCode": code}, nil)
}

// Requests are the addresses that the browser asked for on behalf of the page.
func (p *Page) Requests() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.requests)
}

// Problems are what the browser's console complains of, and exceptions and
// dialogs of scripts.
func (p *Page) Problems() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.problems)
}
