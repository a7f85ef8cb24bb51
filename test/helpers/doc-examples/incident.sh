checkpoint-wal save orchestration/ORCHESTRATION.yaml
mkdir incident
cp orchestration/audit.jsonl incident/
# <block>
grep -q '<script type="module">' incident.html
