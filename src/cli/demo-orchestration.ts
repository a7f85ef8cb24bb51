/**
 * The orchestration that the demo runs on: a realistic one, with section banners, comments that
 * explain decisions, and trailing comments aligned by hand. A string, because the compiler copies no
 * other files. It is our own and means nothing.
 */

/** The text of the demo's `ORCHESTRATION.yaml`. */
export const DEMO_ORCHESTRATION = `# =============================================================================
# ORCHESTRATION: invoice-import, rewrite of the nightly import
# =============================================================================
# Edited by the orchestrator, by its agents and by hand. Keep the comments: they
# say why a decision was taken, and nobody remembers it otherwise.

workflow:
  id: invoice-import-2026-11
  pattern: fan-out-then-gate        # two agents in parallel, then one gate
  status: PENDING                   # PENDING | ACTIVE | BLOCKED | COMPLETE
  owner: "Ines"                     # asks before anything touches production
  current_phase: 1
  limits:
    max_parallel_agents: 2
    max_retries: 3                  # the third failure pages the owner
    budget_minutes: 240

# -----------------------------------------------------------------------------
# PHASES
# -----------------------------------------------------------------------------
phases:
  # Reading only. Nothing here may write to the ledger.
  - id: 1
    name: survey
    status: PENDING                 # set by the orchestrator alone
    agents:
      - id: ledger-reader
        status: PENDING
        started_at: null
        artifact: artifacts/ledger-survey.md
      - id: format-reader
        status: PENDING
        started_at: null
        artifact: artifacts/format-survey.md

  # The parser comes first: the writer's tests feed on its output.
  - id: 2
    name: build
    status: PENDING
    depends_on: [1]
    agents:
      - id: parser-builder
        status: PENDING
        started_at: null
        artifact: src/parser.ts
        notes: |
          Decimal commas come from two suppliers only.
          # this line is text, not a comment
          Dates are day-first without exception.
      - id: writer-builder
        status: PENDING
        started_at: null
        artifact: src/writer.ts

  - id: 3
    name: rollout
    status: PENDING
    depends_on: [1, 2]
    agents:
      - id: rollout-agent
        status: PENDING
        started_at: null
        artifact: artifacts/rollout-log.md

# -----------------------------------------------------------------------------
# QUALITY GATES            (a gate that fails stops everything behind it)
# -----------------------------------------------------------------------------
gates:
  survey-complete:   { phase: 1, threshold: 0.90, score: null, passed: false }
  tests-green:       { phase: 2, threshold: 1.00, score: null, passed: false }
  shadow-run-equal:  { phase: 3, threshold: 0.99, score: null, passed: false }  # 3 nights

# -----------------------------------------------------------------------------
# BLOCKERS
# -----------------------------------------------------------------------------
blockers: []                        # { id, phase, reason, since }

# -----------------------------------------------------------------------------
# METRICS                           (counted by the orchestrator, never by hand)
# -----------------------------------------------------------------------------
metrics:
  phases_complete: 0
  agents_started: 0
  agents_failed: 0
  tokens_used: 0                    # all agents together
  last_error: ''

# -----------------------------------------------------------------------------
# RESUME                            (what an orchestrator reads first)
# -----------------------------------------------------------------------------
resume:
  next_step: "Start both agents of phase 1"
  read_first:
    - docs/import.md                # how the old import worked
    - docs/suppliers.md             # who sends what, and when
# end of orchestration
`;
