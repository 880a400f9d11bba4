// The list of the API, kept up to date by the feed; when the feed ends, everything is loaded again.
const list = document.getElementById('notes');
const state = document.getElementById('state');
const text = document.getElementById('text');

function show(note) {
  if (document.getElementById('note-' + note.id)) return;
  const item = document.createElement('li');
  item.id = 'note-' + note.id;
  const words = document.createElement('span');
  words.textContent = note.text;
  const done = document.createElement('button');
  done.textContent = 'Done';
  done.onclick = () => fetch('/api/notes/' + note.id, { method: 'DELETE' });
  item.append(words, done);
  list.append(item);
}

function hide(note) {
  const item = document.getElementById('note-' + note.id);
  if (item) item.remove();
}

function connect() {
  const feed = new WebSocket('ws://' + location.host + '/feed');
  feed.onopen = async () => {
    const answer = await fetch('/api/notes');
    list.replaceChildren();
    (await answer.json()).notes.forEach(show);
    state.textContent = 'live';
  };
  feed.onmessage = (message) => {
    const { event, note } = JSON.parse(message.data);
    (event === 'added' ? show : hide)(note);
  };
  feed.onclose = () => {
    state.textContent = 'connecting again';
    setTimeout(connect, 1000);
  };
}

document.getElementById('add').onsubmit = (event) => {
  event.preventDefault();
  fetch('/api/notes', {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ text: text.value }),
  });
  text.value = '';
};

connect();
