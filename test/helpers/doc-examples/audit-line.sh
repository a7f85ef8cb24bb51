checkpoint-wal save orchestration/ORCHESTRATION.yaml
cd orchestration
shown=$(
# <block>
)
test "${shown%% *}" = "$(sed -n 12p audit.jsonl | sed 's/.*"hash":"//; s/"}$//')"
