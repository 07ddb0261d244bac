// The control page: shows the sandbox's state once a second, and sends it commands.

const form = document.querySelector('#command');
const choice = form.elements.do;
const fields = document.querySelector('#fields');
const answer = document.querySelector('#answer');
const REFRESH_MS = 1000;

let commands = [];

async function call(path, body) {
  const response = await fetch(path, body === undefined ? {} : {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify(body),
  });
  const told = await response.json();
  if (!response.ok) throw new Error(told.error);
  return told;
}

async function act(what, path, body) {
  try {
    const told = await call(path, body);
    say([`${what}: done`, ...Object.values(told)].join('\n'), false);
    await show();
  } catch (error) {
    say(`${what}: ${error.message}`, true);
  }
}

function say(text, isBad) {
  answer.textContent = text;
  answer.classList.toggle('is-bad', isBad);
}

function element(tag, text, ...children) {
  const made = document.createElement(tag);
  if (text !== undefined) made.textContent = text;
  made.append(...children);
  return made;
}

function rows(body, table) {
  document.querySelector(body).replaceChildren(
    ...table.map((cells) => element('tr', undefined, ...cells.map(
      (cell) => (cell instanceof Node ? element('td', undefined, cell) : element('td', cell)),
    ))),
  );
}

function button(text, press) {
  const made = element('button', text);
  made.type = 'button';
  made.addEventListener('click', press);
  return made;
}

function chooseMarket(ticker) {
  const field = fields.querySelector('[name=market]');
  if (field) field.value = ticker;
  else say('this command is about no market', true);
}

function showFields() {
  const command = commands.find((each) => each.do === choice.value);
  document.querySelector('#what').textContent = command.what;
  const kept = fields.querySelector('[name=market]')?.value ?? '';
  fields.replaceChildren(...command.fields.split(' ').filter(Boolean).map((field) => {
    const [name, usual] = field.split('=');
    const input = element('input');
    input.name = name;
    input.placeholder = usual ?? '';
    input.required = usual === undefined;
    if (name === 'market') input.value = kept;
    return element('label', name, input);
  }));
}

function showCommands(told) {
  if (commands.length) return;
  commands = told.commands;
  choice.replaceChildren(...commands.map((each) => element('option', each.do)));
  document.querySelector('#scenarios').append('Scenarios: ', ...told.scenarios.flatMap(
    (name) => [button(name, () => act(name, `scenarios/${name}`, {})), ' '],
  ));
  showFields();
}

async function show() {
  const told = await call('state');
  showCommands(told);
  document.querySelector('#summary').textContent = [
    told.api_base, `${told.time} at speed ${told.speed}`, `${told.connections} WebSockets`,
    `cash $${told.cash}`, told.exchange_active ? '' : 'exchange stopped',
    told.trading_active ? '' : 'trading paused', told.playing,
  ].filter(Boolean).join(' · ');
  document.querySelector('#faults').textContent = JSON.stringify(told.faults, null, 1);
  rows('#ledger', told.ledger.map((entry) => [
    entry.time, entry.kind, entry.dollars, entry.reference,
  ]));
  rows('#markets', told.markets.map((market) => {
    const pick = button(market.ticker, () => chooseMarket(market.ticker));
    pick.title = market.name;
    return [pick, market.status, market.yes_bid, market.yes_ask, market.last_price, market.quantity];
  }));
}

choice.addEventListener('change', showFields);
form.addEventListener('submit', (event) => {
  event.preventDefault();
  const body = { do: choice.value };
  for (const input of fields.querySelectorAll('input')) {
    if (input.value === '') continue;
    body[input.name] = ['true', 'false'].includes(input.value) ? input.value === 'true' : input.value;
  }
  act(choice.value, 'commands', body);
});

async function keepShowing() {
  try {
    await show();
  } catch (error) {
    say(error.message, true);
  }
  setTimeout(keepShowing, REFRESH_MS);
}

keepShowing();
