// Keeps a section of the page up to date.

const retryAfter = 4000;

/**
 * Asks for path() now, then as often as the answer's `refresh` says, and calls
 * show(answer). An answer without `refresh` is final. An error appears in the
 * section's .error, and the section keeps what it showed; others go on. What must not
 * be kept, fail(message) takes away. A hidden tab asks nothing. Returns a function
 * that asks at once, for when path() has changed.
 */
export function poll(section, path, show, fail = () => {}) {
	const problem = section.querySelector(".error");
	let timer, request, final = false;

	async function ask() {
		clearTimeout(timer);
		request?.abort();
		const mine = request = new AbortController();
		let wait = retryAfter;
		try {
			const answer = await getJSON(path(), mine.signal);
			if (mine.signal.aborted) return;
			if (!selecting(section)) show(answer);
			problem.hidden = true;
			wait = answer.refresh * 1000;
			final = !wait;
		} catch (error) {
			if (mine.signal.aborted) return;
			problem.textContent = error.message;
			problem.hidden = false;
			fail(error.message);
		}
		if (!document.hidden && !final) timer = setTimeout(ask, wait);
	}

	document.addEventListener("visibilitychange", () => {
		if (document.hidden) clearTimeout(timer);
		else if (!final) ask();
	});
	ask();
	return ask;
}

/** Whether a person is marking text there: to draw it anew would unmark it. */
function selecting(section) {
	const selection = getSelection();
	return selection !== null && !selection.isCollapsed && section.contains(selection.anchorNode);
}

async function getJSON(path, signal) {
	let response;
	try {
		response = await fetch(path, { signal });
	} catch (error) {
		if (signal.aborted) throw error;
		throw new Error("NetMeta does not answer: is the process still running?");
	}
	const answer = await response.json().catch(() => ({}));
	if (response.ok) return answer;
	// Before the start has come as far as this page's data, the answer is no JSON.
	const otherwise = response.status === 503 ? "NetMeta is starting." : `${path}: status ${response.status}`;
	throw new Error(answer.error ?? otherwise);
}
