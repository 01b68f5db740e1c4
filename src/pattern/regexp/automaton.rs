//! Automata over characters, for expressions with complement or intersection.
//!
//! The `regex` crates have no complement and no intersection. This file follows Lucene
//! (org.apache.lucene.util.automaton.Operations): the operands become nondeterministic automata,
//! the subset construction makes one deterministic automaton of them, and that becomes a part of
//! the automaton around it. A set of states holds the states of all operands side by side. So the
//! same construction intersects (the set has the end of every operand) and complements (the set
//! does not have the end).

use super::tree::RegexpNode;
use crate::interrupts;
use crate::pattern::dead_prefix::DeadPrefix;
use std::collections::HashMap;
use std::ops::Range;

/// How much one expression may cost, in states visited and transitions written. This is about a
/// tenth of a second and 2 MiB. (It corresponds to Lucene's
/// `Operations.DEFAULT_DETERMINIZE_WORK_LIMIT`.)
const MAX_WORK: usize = 1 << 19;

/// The state from which no text leads to a match.
const DEAD_STATE: usize = 0;
/// The state before the first character.
const START_STATE: usize = 1;

/// A deterministic automaton. From each of its states except [`DEAD_STATE`] some text leads to a
/// match.
#[derive(Debug)]
pub struct Automaton {
    alphabet: Alphabet,
    /// The next state, by the state and the class of the character: one row for each state.
    next: Vec<u32>,
    /// Whether a text that ends in the state matches.
    accepting: Vec<bool>,
}

/// Classes of characters that the expression does not tell apart. Each is given by its first
/// character.
#[derive(Debug, Clone)]
struct Alphabet(Vec<u32>);

impl Automaton {
    /// None if the expression is too complex.
    pub fn new(tree: &RegexpNode) -> Option<Automaton> {
        let mut starts = vec![0];
        collect_starts(tree, &mut starts);
        starts.sort_unstable();
        starts.dedup();
        Builder { alphabet: Alphabet(starts), work: 0 }.automaton(tree)
    }

    /// Whether it matches the whole text. The error is the beginning of the text that no match has,
    /// if there is one.
    pub fn check(&self, text: &str) -> Result<bool, DeadPrefix> {
        Ok(self.accepting[self.run(text)?])
    }

    /// Whether any text that begins with these bytes matches. The last character may be incomplete.
    pub fn could_start(&self, prefix: &[u8]) -> bool {
        self.run(prefix.utf8_chunks().next().map_or("", |chunk| chunk.valid())).is_ok()
    }

    /// How many bytes of memory it takes.
    pub fn memory(&self) -> usize {
        size_of_val(&self.next[..]) + self.accepting.len() + size_of_val(&self.alphabet.0[..])
    }

    /// The state after the text.
    fn run(&self, text: &str) -> Result<usize, DeadPrefix> {
        let mut state = START_STATE;
        for (at, c) in text.char_indices() {
            interrupts::spend(1);
            state = self.next[state * self.alphabet.len() + self.alphabet.class(c)] as usize;
            if state == DEAD_STATE {
                return Err(DeadPrefix(at + c.len_utf8()));
            }
        }
        Ok(state)
    }

    fn row(&self, state: usize) -> &[u32] {
        &self.next[state * self.alphabet.len()..][..self.alphabet.len()]
    }

    /// Replaces all states that lead to no match by [`DEAD_STATE`].
    fn trim(mut self) -> Automaton {
        let mut sources = vec![Vec::new(); self.accepting.len()];
        for state in 0..self.accepting.len() {
            for &target in self.row(state) {
                sources[target as usize].push(state);
            }
        }
        let mut live = self.accepting.clone();
        let mut found: Vec<usize> = (0..live.len()).filter(|&state| live[state]).collect();
        while let Some(state) = found.pop() {
            for &source in &sources[state] {
                if !live[source] {
                    live[source] = true;
                    found.push(source);
                }
            }
        }
        for target in &mut self.next {
            if !live[*target as usize] {
                *target = DEAD_STATE as u32;
            }
        }
        self
    }
}

impl Alphabet {
    fn len(&self) -> usize {
        self.0.len()
    }

    fn class(&self, c: char) -> usize {
        self.0.partition_point(|&start| start <= u32::from(c)) - 1
    }

    fn classes(&self, (first, last): (char, char)) -> Range<usize> {
        self.class(first)..self.class(last) + 1
    }
}

/// Collects where classes begin: at each character that the expression names, and behind it.
fn collect_starts(node: &RegexpNode, starts: &mut Vec<u32>) {
    let mut range =
        |first: char, last: char| starts.extend([u32::from(first), u32::from(last) + 1]);
    match node {
        RegexpNode::Empty | RegexpNode::Nothing | RegexpNode::AnyChar | RegexpNode::AnyString => {}
        RegexpNode::Literal(text) => text.chars().for_each(|c| range(c, c)),
        RegexpNode::Class { items, .. } => {
            items.iter().for_each(|&(first, last)| range(first, last))
        }
        RegexpNode::Concat(parts) | RegexpNode::Union(parts) | RegexpNode::Intersection(parts) => {
            parts.iter().for_each(|part| collect_starts(part, starts));
        }
        RegexpNode::Complement(node) | RegexpNode::Repeat { node, .. } => {
            collect_starts(node, starts)
        }
    }
}

/// A state of a nondeterministic automaton.
#[derive(Default)]
struct State {
    /// The states that it leads to without a character.
    epsilon: Vec<usize>,
    /// The states that it leads to by a character of some classes.
    steps: Vec<(Range<usize>, usize)>,
}

/// Builds an automaton, and counts the work.
struct Builder {
    alphabet: Alphabet,
    work: usize,
}

impl Builder {
    fn automaton(&mut self, node: &RegexpNode) -> Option<Automaton> {
        match node {
            RegexpNode::Intersection(operands) => self.determinize(operands, false),
            RegexpNode::Complement(operand) => {
                self.determinize(std::slice::from_ref(operand), true)
            }
            _ => self.determinize(std::slice::from_ref(node), false),
        }
    }

    /// The automaton that accepts what all operands accept or, negated, everything else.
    fn determinize(&mut self, operands: &[RegexpNode], negated: bool) -> Option<Automaton> {
        let mut states = Vec::new();
        let mut starts = Vec::new();
        let mut ends = Vec::new();
        for operand in operands {
            let start = self.state(&mut states)?;
            starts.push(start);
            ends.push(self.add(&mut states, operand, start)?);
        }
        // Whether the set has a state of each operand. The states are numbered operand by operand.
        let is_live = |set: &[usize]| {
            let behind = starts.iter().skip(1).copied().chain([states.len()]);
            starts.iter().zip(behind).all(|(start, behind)| {
                set.get(set.partition_point(|state| state < start))
                    .is_some_and(|&state| state < behind)
            })
        };

        let width = self.alphabet.len();
        let mut next = vec![DEAD_STATE as u32; width];
        let mut accepting = vec![false];
        let mut sets = vec![Vec::new(), self.closure(&states, starts.clone())?];
        let mut numbers = HashMap::from([(sets[START_STATE].clone(), START_STATE as u32)]);
        let mut number = START_STATE;
        while number < sets.len() {
            self.spend(width)?;
            let set = &sets[number];
            accepting.push(ends.iter().all(|end| set.binary_search(end).is_ok()) != negated);
            let mut targets = vec![Vec::new(); width];
            for (classes, target) in set.iter().flat_map(|&state| &states[state].steps) {
                targets[classes.clone()].iter_mut().for_each(|targets| targets.push(*target));
            }
            for targets in targets {
                let set = self.closure(&states, targets)?;
                next.push(match numbers.get(&set) {
                    _ if !negated && !is_live(&set) => DEAD_STATE as u32,
                    Some(&number) => number,
                    None => {
                        let number = sets.len() as u32;
                        numbers.insert(set.clone(), number);
                        sets.push(set);
                        number
                    }
                });
            }
            number += 1;
        }
        Some(Automaton { alphabet: self.alphabet.clone(), next, accepting }.trim())
    }

    /// Adds states for the node behind the state `from`, and returns the state after a match of the
    /// node. No transition leads back to `from`, so that any number of nodes can begin there.
    fn add(&mut self, states: &mut Vec<State>, node: &RegexpNode, from: usize) -> Option<usize> {
        let all = 0..self.alphabet.len();
        match node {
            RegexpNode::Empty => Some(from),
            RegexpNode::Nothing => self.state(states),
            RegexpNode::AnyChar => self.step(states, from, [all]),
            RegexpNode::AnyString => {
                let end = self.state(states)?;
                states[from].epsilon.push(end);
                states[end].steps.push((all, end));
                Some(end)
            }
            RegexpNode::Literal(text) => text.chars().try_fold(from, |from, c| {
                let class = self.alphabet.classes((c, c));
                self.step(states, from, [class])
            }),
            RegexpNode::Class { negated, items } => {
                let mut chosen = vec![*negated; all.len()];
                items.iter().for_each(|item| chosen[self.alphabet.classes(*item)].fill(!negated));
                let classes = all.filter(|&class| chosen[class]).map(|class| class..class + 1);
                self.step(states, from, classes)
            }
            RegexpNode::Concat(parts) => {
                parts.iter().try_fold(from, |from, part| self.add(states, part, from))
            }
            RegexpNode::Union(branches) => {
                let end = self.state(states)?;
                for branch in branches {
                    let behind = self.add(states, branch, from)?;
                    states[behind].epsilon.push(end);
                }
                Some(end)
            }
            RegexpNode::Repeat { node, min, max } => {
                let mut from = from;
                for _ in 0..*min {
                    self.spend(1)?;
                    from = self.add(states, node, from)?;
                }
                let end = self.state(states)?;
                states[from].epsilon.push(end);
                match max {
                    None => {
                        let behind = self.add(states, node, end)?;
                        states[behind].epsilon.push(end);
                    }
                    Some(max) => {
                        for _ in *min..*max {
                            self.spend(1)?;
                            from = self.add(states, node, from)?;
                            states[from].epsilon.push(end);
                        }
                    }
                }
                Some(end)
            }
            RegexpNode::Intersection(_) | RegexpNode::Complement(_) => {
                let automaton = self.automaton(node)?;
                let end = self.state(states)?;
                // All its states except the dead one are copied behind the existing states.
                let base = states.len() - START_STATE;
                states[from].epsilon.push(base + START_STATE);
                for number in START_STATE..automaton.accepting.len() {
                    let state = self.state(states)?;
                    let targets = automaton.row(number);
                    let live = targets
                        .iter()
                        .enumerate()
                        .filter(|(_, target)| **target != DEAD_STATE as u32);
                    states[state].steps.extend(
                        live.map(|(class, &target)| (class..class + 1, base + target as usize)),
                    );
                    if automaton.accepting[number] {
                        states[state].epsilon.push(end);
                    }
                }
                Some(end)
            }
        }
    }

    fn state(&mut self, states: &mut Vec<State>) -> Option<usize> {
        self.spend(1)?;
        states.push(State::default());
        Some(states.len() - 1)
    }

    /// Adds a state that is reached from another by one character.
    fn step(
        &mut self,
        states: &mut Vec<State>,
        from: usize,
        classes: impl IntoIterator<Item = Range<usize>>,
    ) -> Option<usize> {
        let to = self.state(states)?;
        states[from].steps.extend(classes.into_iter().map(|classes| (classes, to)));
        self.spend(states[from].steps.len())?;
        Some(to)
    }

    /// The states and all that they lead to without a character, sorted.
    fn closure(&mut self, states: &[State], mut found: Vec<usize>) -> Option<Vec<usize>> {
        let mut set = std::collections::BTreeSet::new();
        while let Some(state) = found.pop() {
            self.spend(1)?;
            if set.insert(state) {
                found.extend(&states[state].epsilon);
            }
        }
        Some(set.into_iter().collect())
    }

    fn spend(&mut self, work: usize) -> Option<()> {
        interrupts::spend(work);
        self.work += work;
        (self.work <= MAX_WORK).then_some(())
    }
}
