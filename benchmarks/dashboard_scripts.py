"""What the benchmark of the inspector's pages runs in the browser: JavaScript programs, each gives its milliseconds."""

__all__ = ["HOVER", "PAINT", "PLAN", "REPAINT", "SCROLL", "STEP_SEEN"]

HOVER = """async () => {
    const over = document.querySelector(".picture .over"), box = over.getBoundingClientRect(), found = [];
    let drawn = 0;
    const clear = CanvasRenderingContext2D.prototype.clearRect;
    CanvasRenderingContext2D.prototype.clearRect = function (...where) { drawn++; return clear.apply(this, where); };
    for (let i = 0; i < 200; i++) {
        const x = box.x + box.width * ((i * 37) % 100) / 100, y = box.y + box.height * ((i * 61) % 100) / 100;
        const before = drawn, start = performance.now();
        over.dispatchEvent(new PointerEvent("pointermove", { clientX: x, clientY: y, bubbles: true }));
        for (let j = 0; j < 20 && drawn === before; j++) await null;
        if (drawn > before) found.push(performance.now() - start);
        await new Promise(requestAnimationFrame);
    }
    CanvasRenderingContext2D.prototype.clearRect = clear;
    return found;
}"""

SCROLL = """async () => {
    const body = document.querySelector("[role=grid]"), found = [];
    let last = await new Promise(requestAnimationFrame);
    for (let i = 0; i < 120; i++) {
        body.scrollTop += 360;
        const now = await new Promise(requestAnimationFrame);
        found.push(now - last);
        last = now;
    }
    return found;
}"""

# Presses keys in turn, or two buttons, and waits each time until a canvas is drawn.
REPAINT = """async ([selector, keys, times]) => {
    const found = [];
    let drawn = 0;
    const clear = CanvasRenderingContext2D.prototype.clearRect;
    CanvasRenderingContext2D.prototype.clearRect = function (...where) { drawn++; return clear.apply(this, where); };
    for (let i = 0; i < times; i++) {
        const on = document.querySelectorAll(selector)[keys.length ? 0 : (i + 1) % 2];
        const before = drawn, start = performance.now();
        const key = keys[i % keys.length];
        if (key) on.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true }));
        else on.click();
        while (drawn === before && performance.now() - start < 5000) await new Promise(r => setTimeout(r, 0));
        found.push(performance.now() - start);
        await new Promise(requestAnimationFrame);
        await new Promise(requestAnimationFrame);
    }
    CanvasRenderingContext2D.prototype.clearRect = clear;
    return found;
}"""

# From a change of the strategy to the server's new figures on the page.
PLAN = """async () => {
    const found = [];
    for (let i = 0; i < 8; i++) {
        const words = () => document.querySelector("section[aria-label='What a rank needs']").textContent;
        const on = document.querySelector("main button[aria-label*=' on axis ']");
        const before = words(), start = performance.now();
        on.click();
        while (words() === before && performance.now() - start < 3000) await new Promise(r => setTimeout(r, 1));
        found.push(performance.now() - start);
        await new Promise(r => setTimeout(r, 300));
    }
    return found;
}"""

PAINT = """() => new Promise(done => new PerformanceObserver(list => {
    const first = list.getEntriesByName("first-contentful-paint")[0];
    if (first) done(first.startTime);
}).observe({ type: "paint", buffered: true }))"""

# Says when the header first tells of a step.
STEP_SEEN = """async step => {
    const told = () => Number((document.querySelector("header .step")?.textContent ?? "").replace(/[^0-9]/g, ""));
    const start = performance.now();
    while (told() < step && performance.now() - start < 5000) await new Promise(r => setTimeout(r, 2));
    return Date.now() / 1000;
}"""
