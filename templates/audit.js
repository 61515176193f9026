
'use strict';
// Sorts and searches the table of objects. Without it the table is whole, the worst first; with it, some rows are shown
// at a time, for it is the showing that takes long. What is chosen stands in the address
// (#q=…&verdict=fail&sort=-size), so that a link leads to the same rows.
(() => {
  const find = (id) => document.getElementById(id);
  const [box, verdict, shown, table, more] =
    ['text', 'verdict', 'shown', 'table', 'more'].map((name) => find('objects-' + name));
  const body = table.tBodies[0];
  const heads = [...table.tHead.rows[0].cells];
  const items = Array.from(body.rows, (row) => ({ row, words: null, key: null }));
  const ranks = { damaged: 0, missing: 1, replaced: 2, policy: 3, unknown: 4, seen: 5, pass: 6 };
  const some = 500;
  let most = some;
  let sorted = 'verdict';
  let order = items;

  const words = (item) =>
    (item.words ??= Array.from(item.row.cells, (cell) => cell.textContent).join('\n').toLowerCase());

  // What a row is sorted by; null, which comes last either way, where nothing is known.
  const key = (row, at) => {
    const cell = row.cells[at];
    const text = cell.textContent;
    if (heads[at].dataset.k === 'verdict') return ranks[row.className];
    if (text === '') return null;
    return heads[at].className === 'number' ? Number(cell.dataset.v ?? text) : text;
  };

  const sort = (wish) => {
    const down = wish.startsWith('-');
    const name = down ? wish.slice(1) : wish;
    const at = heads.findIndex((head) => head.dataset.k === name);
    if (at < 0 || wish === sorted) return;
    sorted = wish;
    heads.forEach((head) => head.removeAttribute('aria-sort'));
    heads[at].setAttribute('aria-sort', down ? 'descending' : 'ascending');
    items.forEach((item) => { item.key = key(item.row, at); });
    const way = down ? -1 : 1;
    order = [...items].sort(({ key: a }, { key: b }) =>
      a === b ? 0 : a === null ? 1 : b === null ? -1 : a < b ? -way : way);
    const rows = document.createDocumentFragment();
    order.forEach((item) => rows.append(item.row));
    body.append(rows);
  };

  const choose = (rows = some) => {
    most = rows;
    const number = (value) => value.toLocaleString('en');
    const wanted = box.value.toLowerCase().split(/\s+/).filter((word) => word !== '');
    let count = 0;
    for (const item of order) {
      const fits = (verdict.value === '' || item.row.className === verdict.value)
        && (wanted.length === 0 || wanted.every((word) => words(item).includes(word)));
      count += fits ? 1 : 0;
      const hidden = !fits || count > most;
      if (item.row.hidden !== hidden) item.row.hidden = hidden;
    }
    const first = count > most ? `, the first ${number(most)}` : '';
    shown.textContent = `${number(count)} of ${number(items.length)} objects${first} shown`;
    more.hidden = count <= most;
  };

  const write = () => {
    const wish = new URLSearchParams();
    if (box.value !== '') wish.set('q', box.value);
    if (verdict.value !== '') wish.set('verdict', verdict.value);
    if (sorted !== 'verdict') wish.set('sort', sorted);
    // Some places, such as a preview in a mail, have no address to write.
    try { history.replaceState(null, '', '#' + wish); } catch { /* The table is as chosen all the same. */ }
  };

  const read = () => {
    const wish = new URLSearchParams(location.hash.slice(1));
    if (!['q', 'verdict', 'sort'].some((name) => wish.has(name))) return;
    box.value = wish.get('q') ?? '';
    const chosen = wish.get('verdict') ?? '';
    verdict.value = Object.hasOwn(ranks, chosen) ? chosen : '';
    sort(wish.get('sort') ?? 'verdict');
    choose();
    find('objects').scrollIntoView();
  };

  for (const head of heads) {
    const button = document.createElement('button');
    button.type = 'button';
    button.append(...head.childNodes);
    head.append(button);
    button.addEventListener('click', () => {
      const name = head.dataset.k;
      const first = head.className === 'number' ? '-' + name : name;
      const other = first === name ? '-' + name : name;
      sort(sorted === first ? other : first);
      choose();
      write();
    });
  }
  box.addEventListener('input', () => { choose(); write(); });
  verdict.addEventListener('change', () => { choose(); write(); });
  find('objects-all').addEventListener('click', () => {
    box.value = verdict.value = '';
    sort('verdict');
    choose();
    write();
  });
  more.addEventListener('click', () => choose(most + 4 * some));
  // Paper gets all that was chosen.
  let before = some;
  addEventListener('beforeprint', () => { before = most; choose(Infinity); });
  addEventListener('afterprint', () => choose(before));
  addEventListener('hashchange', read);
  table.classList.add('sorts');
  find('objects-find').hidden = false;
  choose();
  read();
})();
